import { expect, it } from 'vitest'
import { scheduledFloor } from './schedule-floor.js'

/** 2026-01-05 is a Monday. */
const at = (day: number, time: string): Date => new Date(`2026-01-0${day}T${time}:00`)
const workday = { fromMinute: 480, toMinute: 1_200, days: [1, 2, 3, 4, 5], min: 4 }
const night = { fromMinute: 1_320, toMinute: 360, days: [5], min: 2 }

it('holds from its begin to before its end, on its days', () => {
  const floor = (when: Date) => scheduledFloor({ schedule: [workday] }, when)
  expect(floor(at(5, '07:59'))).toBe(0)
  expect(floor(at(5, '08:00'))).toBe(4)
  expect(floor(at(5, '19:59'))).toBe(4)
  expect(floor(at(5, '20:00'))).toBe(0)
  expect(floor(at(4, '12:00'))).toBe(0)
})

it('goes over midnight, and the morning belongs to the day before', () => {
  const floor = (when: Date) => scheduledFloor({ schedule: [night] }, when)
  expect(floor(at(9, '23:00'))).toBe(2)
  expect(floor(at(9, '05:00'))).toBe(0)
  expect(floor(new Date('2026-01-10T05:59:00'))).toBe(2)
  expect(floor(new Date('2026-01-10T06:00:00'))).toBe(0)
  expect(floor(new Date('2026-01-10T23:00:00'))).toBe(0)
})

it('takes the highest of those that hold', () => {
  expect(scheduledFloor({ schedule: [workday, { fromMinute: 600, toMinute: 660, min: 9 }] }, at(5, '10:30'))).toBe(9)
  expect(scheduledFloor({ schedule: [] }, at(5, '10:30'))).toBe(0)
})

it('is of the time zone that it names, wherever the machine is, and goes with its summer time', () => {
  const berlin = { fromMinute: 480, toMinute: 1_200, days: [1], min: 4, timeZone: 'Europe/Berlin' }
  const floor = (when: string) => scheduledFloor({ schedule: [berlin] }, new Date(when))
  expect(floor('2026-01-05T06:59:00Z')).toBe(0)
  expect(floor('2026-01-05T07:00:00Z')).toBe(4)
  expect(floor('2026-07-06T05:59:00Z')).toBe(0)
  expect(floor('2026-07-06T06:00:00Z')).toBe(4)
  const late = { fromMinute: 1_380, toMinute: 60, days: [1], min: 1, timeZone: 'Asia/Tokyo' }
  expect(scheduledFloor({ schedule: [late] }, new Date('2026-01-05T14:30:00Z'))).toBe(1)
  expect(scheduledFloor({ schedule: [late] }, new Date('2026-01-05T15:30:00Z'))).toBe(1)
  expect(scheduledFloor({ schedule: [late] }, new Date('2026-01-05T16:00:00Z'))).toBe(0)
})

it('knows no hour that summer time leaves out, and holds twice in the one that comes twice', () => {
  const night = { fromMinute: 150, toMinute: 210, min: 2, timeZone: 'Europe/Berlin' }
  const floor = (when: string) => scheduledFloor({ schedule: [night] }, new Date(when))
  expect(['00:59', '01:00', '01:29', '01:30'].map((time) => floor(`2026-03-29T${time}:00Z`))).toEqual([0, 2, 2, 0])
  expect(['00:29', '00:30', '01:29', '01:30', '02:29', '02:30'].map((time) => floor(`2026-10-25T${time}:00Z`))).toEqual([0, 2, 0, 2, 2, 0])
})
