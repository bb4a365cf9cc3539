import type { ScalePlan } from '../../topology/index.js'

const MINUTES = 24 * 60

/** The floor that the clock on the wall asks for; 0: none. Where several hold, the highest. */
export function scheduledFloor({ schedule }: Pick<ScalePlan, 'schedule'>, at: Date): number {
  return schedule.reduce((floor, each) => (holds(each, wallTime(at, each.timeZone)) ? Math.max(floor, each.min) : floor), 0)
}

interface WallTime {
  readonly minute: number
  /** 0 is Sunday. */
  readonly day: number
}

/** From 22:00 to 06:00 is two pieces, and the morning belongs to the day before. */
function holds({ fromMinute, toMinute, days }: ScalePlan['schedule'][number], { minute, day }: WallTime): boolean {
  const isOn = (each: number): boolean => days === undefined || days.includes(each)
  if (fromMinute < toMinute) return isOn(day) && minute >= fromMinute && minute < toMinute
  if (minute >= fromMinute % MINUTES) return isOn(day)
  return minute < toMinute && isOn((day + 6) % 7)
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const formats = new Map<string, Intl.DateTimeFormat | undefined>()

/** What the clock shows where the schedule was meant; an hour that summer time leaves out is nobody's, one that comes twice holds twice. */
function wallTime(at: Date, timeZone: string | undefined): WallTime {
  const format = timeZone === undefined ? undefined : formatOf(timeZone)
  if (format === undefined) return { minute: at.getHours() * 60 + at.getMinutes(), day: at.getDay() }
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, value]))
  return { minute: Number(parts.get('hour')) * 60 + Number(parts.get('minute')), day: DAYS.indexOf(parts.get('weekday') ?? '') }
}

/** Undefined for a zone that this machine does not know. */
function formatOf(timeZone: string): Intl.DateTimeFormat | undefined {
  if (formats.has(timeZone)) return formats.get(timeZone)
  let format: Intl.DateTimeFormat | undefined
  try {
    format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', weekday: 'short', hour: '2-digit', minute: '2-digit' })
  } catch {
    format = undefined
  }
  formats.set(timeZone, format)
  return format
}
