import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MultipartError } from './multipart-error.js'
import { MultipartScanner, scanMultipart } from './multipart.js'
import { scanRequest } from './request-scan.js'
import { spliceBody } from './splice-body.js'

const TYPE = 'multipart/form-data; boundary=XX'
const part = (name: string, value: string, more = ''): string => `Content-Disposition: form-data; name="${name}"${more}\r\n\r\n${value}`
const body = (...parts: string[]): string => `--XX\r\n${parts.join('\r\n--XX\r\n')}\r\n--XX--\r\n`
const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
const scan = (text: string, type = TYPE) => scanMultipart(type, bytes(text))

/** What is wrong; undefined where nothing is. */
function refusal(text: string, type = TYPE): string | undefined {
  try {
    scan(text, type)
    return undefined
  } catch (error) {
    expect(error).toBeInstanceOf(MultipartError)
    return (error as Error).message
  }
}

describe('a form', () => {
  it('tells its model and whether to stream, and where they stand', () => {
    const text = body(part('file', '\u0000\r\n\r\n--X\r\n', '; filename="a.wav"'), part('model', 'whisper-1'), part('stream', 'true'))
    const { model, stream, fields } = scan(text)
    expect({ model, stream }).toEqual({ model: 'whisper-1', stream: true })
    const { start, end } = fields.get('model') ?? { start: 0, end: 0 }
    expect(text.slice(start, end)).toBe('whisper-1')
  })

  it('is read the same however it is cut', () => {
    const text = body(part('file', '\r\n--X\r\n--\r\n-', '; filename="--XX"'), part('model', 'm'), part('stream', '1'))
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), fc.boolean(), (sizes, broken) => {
        const whole = bytes(broken ? text.replace('--X\r', '--XX') : text)
        const found = (sizes: readonly number[]): unknown => {
          const scanner = new MultipartScanner(TYPE)
          for (let at = 0, index = 0; at < whole.byteLength; index += 1) {
            const size = sizes[index % sizes.length] ?? 1
            scanner.push(whole.subarray(at, at + size))
            at += size
          }
          try {
            return scanner.finish(whole)
          } catch (error) {
            return { message: (error as Error).message, offset: (error as MultipartError).offset }
          }
        }
        expect(found(sizes)).toEqual(found([whole.byteLength]))
      }),
    )
  })

  it('needs neither', () => {
    expect(scan('--XX--')).toMatchObject({ model: undefined, stream: false })
    expect(scan(body(part('model', '')))).toMatchObject({ model: undefined, stream: false })
    expect(scan(body(part('Model', 'x'), part('stream', 'False')))).toMatchObject({ model: undefined, stream: false })
  })

  it('is read as real clients write it', async () => {
    const boundaries = ['----formdata-undici-012345678901', '------------------------d74496d66958873e', "'()+_,-./:=?"]
    for (const boundary of boundaries) {
      const text = body(part('model', 'm')).replaceAll('XX', boundary)
      for (const type of [`multipart/form-data; boundary="${boundary}"`, `Multipart/Form-Data;charset=utf-8 ; BOUNDARY="${boundary}"`])
        expect(scan(text, type).model).toBe('m')
    }
    const form = new FormData()
    form.append('file', new Blob([randomBytes(100_000)]), 'ä "quoted" \\name.wav')
    form.append('model', 'größer')
    const request = new Response(form)
    const type = request.headers.get('content-type') ?? ''
    expect(scanMultipart(type, new Uint8Array(await request.arrayBuffer())).model).toBe('größer')
  })

  it.each([
    ['text/plain; boundary=XX', body()],
    ['multipart/mixed; boundary=XX', body()],
    ['multipart/form-data', body()],
    ['multipart/form-data; boundary=', body()],
    ['multipart/form-data; boundary=""', body()],
    ['multipart/form-data; boundary=a b', body()],
    ['multipart/form-data; boundary="XX', body()],
    ['multipart/form-data; boundary="XX "', body()],
    ['multipart/form-data; boundary="X\\X"', body()],
    ['multipart/form-data; boundary=XX; boundary=YY', body()],
    ['multipart/form-data; boundary=XX; Boundary=XX', body()],
    ['multipart/form-data; boundary=XX,multipart/form-data; boundary=YY', body()],
    [`multipart/form-data; boundary=${'X'.repeat(71)}`, body()],
    ['multipart/form-data; boundary=ü', body()],
  ])('of the type %j is refused', (type, text) => expect(refusal(text, type)).toMatch(/content type|stands twice|backslash/))

  it.each([
    ['', /must begin/],
    ['--X', /must begin/],
    ['--XX', /may follow a boundary/],
    ['--XX\n', /may follow a boundary/],
    ['--XX \r\n', /may follow a boundary/],
    ['--XXY\r\n', /may follow a boundary/],
    [`\r\n${body(part('model', 'm'))}`, /must begin/],
    [`preamble\r\n${body(part('model', 'm'))}`, /must begin/],
    ['--XX--x', /something follows/],
    ['--XX--\r\n\r\n', /something follows/],
    [`${body(part('model', 'a'))}${body(part('model', 'b'))}`, /something follows/],
    ['--XX\r\n', /does not end/],
    [`--XX\r\n${part('model', 'm')}`, /last boundary is missing/],
    [`--XX\r\n${part('model', 'm')}\r\n--XX`, /may follow a boundary/],
    [body('model'), /does not end|bad header/],
    [body('\r\nm'), /does not end|bad header/],
    [body('X-Other: 1\r\n\r\nm'), /no name/],
    [body('Content-Disposition: form-data\r\n\r\nm'), /no name/],
    [body('Content-Disposition: attachment; name="model"\r\n\r\nm'), /not of a form/],
    [body('Content-Disposition: form-data; name="model\r\n\r\nm'), /not of a form/],
    [body('Content-Disposition: form-data; name=model; x\r\n\r\nm'), /not of a form/],
    [body('Content-Disposition : form-data; name="model"\r\n\r\nm'), /bad header/],
    [body('Content-Disposition: form-data;\r\n name="model"\r\n\r\nm'), /bad header|not of a form/],
    [body('Content-Disposition: form-data; name="model"\nX: y\r\n\r\nm'), /bad header|not of a form/],
    [body('Content-Disposition: form-data; name="mo\u0000del"\r\n\r\nm'), /bad header/],
    [body(part('a', 'x', '; name="model"')), /name stands twice/],
    [body(part('a', 'x', '; NAME=model')), /name stands twice/],
    [body(part('a', 'x', "; name*=utf-8''model")), /encoded name/],
    [body('Content-Disposition: form-data; filename="a\\"; name="model"\r\n\r\nm'), /behind a backslash/],
    [body('Content-Disposition: form-data; name="model\\"\r\n\r\nm'), /behind a backslash/],
    [body('Content-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="model"\r\n\r\nm'), /two Content-Disposition/],
    [body(`Content-Transfer-Encoding: base64\r\n${part('model', 'bQ==')}`), /encoded for mail/],
    [body(part('model', 'a'), part('model', 'a')), /model stands twice/],
    [body(part('model', 'a', '; filename="m.txt"')), /not a file/],
    [body(part('model', 'm'.repeat(1_025))), /longer than 1024/],
    [body(part('model', 'a\r\nb')), /no text/],
    [body(part('model', '\u00ff')), /no text/],
    [body(part('stream', 'yes')), /true or false/],
    [body(part('stream', '')), /true or false/],
    [body(part('file', 'x\n--XX\r\n')), /inside a part/],
    [body(part('file', 'x\r--XX')), /inside a part/],
    [body(part('file', 'x--XXy')), /inside a part/],
    [body(part('file', 'x\r\n--XXy')), /may follow a boundary/],
    [body(part('file', '--XX\r\n')), /inside a part/],
    [body(part('file', ' --XX'.repeat(2_000))), /over 1024 times/],
    [body(`X: ${'y'.repeat(9_000)}\r\n${part('model', 'm')}`), /within 8192 bytes/],
    [body(...Array.from({ length: 257 }, (_, index) => part(`a${index}`, ''))), /more than 256 parts/],
  ])('that two readers could read differently is refused: %j', (text, why) => expect(refusal(text)).toMatch(why))

  it('does not throw anything else, whatever is broken in it', () => {
    const seed = body(
      part('file', '\u0001\u0002\r\n', '; filename="a"\r\nContent-Type: audio/wav'),
      part('model', 'm'),
      part('stream', '1'),
    )
    const noise = fc.constantFrom('\r\n', '--', '--XX', '"', ';', 'name=', '\\', '\u0000', ':', 'model', '\r', '\n', ' ')
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(4), noise), { minLength: 1, maxLength: 4 }), (changes) => {
        let text = seed
        for (const [at, removed, inserted] of changes) {
          const place = at % (text.length + 1)
          text = text.slice(0, place) + inserted + text.slice(place + removed)
        }
        refusal(text)
      }),
      { numRuns: 3_000 },
    )
  })

  it('that is large and wrong is refused in milliseconds', () => {
    const began = process.cpuUsage()
    refusal(`--XX\r\n${part('file', '\r\n--X'.repeat(5_000_000))}`)
    refusal(body('a'.repeat(20_000_000)))
    refusal('-'.repeat(20_000_000), 'multipart/form-data; boundary=-')
    refusal(body(part('file', ''), ''), `multipart/form-data${'; a=b'.repeat(3_000)}; boundary="`)
    expect(process.cpuUsage(began).user).toBeLessThan(1_000_000)
  })
})

describe('the model in a form', () => {
  const spliced = (text: string, model: string | undefined): string =>
    Buffer.concat(spliceBody(scanRequest('openai-transcriptions', bytes(text), TYPE), model, true)).toString('latin1')

  it('is replaced, and nothing else', () => {
    const parts = [part('file', '\u0000"model"\u00ff', '; filename="model"'), part('model', 'm'), part('stream', 'true')]
    expect(spliced(body(...parts), undefined)).toBe(body(...parts))
    expect(spliced(body(...parts), 'there')).toBe(body(...parts).replace('\r\n\r\nm\r\n', '\r\n\r\nthere\r\n'))
  })

  it('is put in front where there is none', () => {
    expect(spliced(body(part('a', 'b')), 'there')).toBe(body(part('model', 'there'), part('a', 'b')))
    expect(scan(spliced('--XX--', 'a\r\nb')).model).toBe('a  b')
  })
})
