/** The parts of oclif that commands are made of, by their own entries: its main entry loads all the rest too, a tenth of what a short command may cost. */
export * as Args from '@oclif/core/args'
export { Command } from '@oclif/core/command'
export * as Flags from '@oclif/core/flags'
