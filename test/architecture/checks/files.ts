/** Sizes and names of files, and the three lines that open a room. */
import { basename } from 'node:path'
import { roomOf } from './floors.js'
import { isPackageSource, isTest, type Check, type SourceFile } from '../source-file.js'

const lineCeiling = 300
const commandCeiling = 80
const banned = /^(utils?|helpers?|common|misc|shared|managers?|types|constants|interfaces)$|(^|-)(utils?|helpers?|manager)$/

const isGenerated = ({ text }: SourceFile) => /^\/\*.{0,3}\s?Generated/.test(text)
const linesOf = ({ text }: SourceFile) => text.replace(/\n$/, '').split('\n').length

export const fileCeilings: Check = (files) =>
  files
    .filter((file) => isSource(file.path) && !isTest(file.path) && !isGenerated(file) && linesOf(file) > lineCeiling)
    .map((file) => ({ path: file.path, message: `${linesOf(file)} lines; ${lineCeiling} is the ceiling, 80 the aim` }))

export const commandCeilings: Check = (files) =>
  files
    .filter((file) => file.path.startsWith('packages/cli/src/commands/') && !isTest(file.path) && linesOf(file) > commandCeiling)
    .map((file) => ({
      path: file.path,
      message: `${linesOf(file)} lines; a command holds flags, help and one service call in ${commandCeiling}`,
    }))

export const fileNames: Check = (files) =>
  files
    .filter(({ path }) => isSource(path))
    .flatMap(({ path }) => {
      const name = basename(path).replace(/\.(test|bench|config)\b.*$|\.d\.ts$|\.[a-z]+$/g, '')
      if (banned.test(name)) return [{ path, message: `${name} is a drawer, not a name; call the file after the one thing in it` }]
      return /^[a-z0-9]+(-[a-z0-9]+)*$/.test(name) ? [] : [{ path, message: 'file names are kebab-case' }]
    })

export const roomOpenings: Check = (files) =>
  files
    .filter(({ path }) => path.endsWith('/index.ts') && (roomOf(path) ?? '') !== '' && path.split('/').length === 5)
    .filter(
      ({ text }) =>
        !/^\/\*\*\n \* .*\n(?: \* .*\n)? \* .*\n?(?: \* .*\n)?\s\*\/\n/.test(text) ||
        !/[Rr]ead first/.test(text) ||
        !/[Rr]efuses/.test(text),
    )
    .map(({ path }) => ({ path, message: 'opens with three lines: what it owns, what it refuses to know, which file to read first' }))

const isSource = (path: string) => isPackageSource(path) || /^(scripts|test|examples)\/.*\.(ts|tsx|js|mjs)$/.test(path)
