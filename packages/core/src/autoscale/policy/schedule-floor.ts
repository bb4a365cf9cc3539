import type { ScalePlan } from '../../topology/index.js'

const MINUTES = 24 * 60

/** The floor that the clock on the wall asks for; 0: none. Where several hold, the highest. */
export function scheduledFloor({ schedule }: Pick<ScalePlan, 'schedule'>, at: Date): number {
  const minute = at.getHours() * 60 + at.getMinutes()
  return schedule.reduce((floor, each) => (holds(each, minute, at.getDay()) ? Math.max(floor, each.min) : floor), 0)
}

/** From 22:00 to 06:00 is two pieces, and the morning belongs to the day before. */
function holds({ fromMinute, toMinute, days }: ScalePlan['schedule'][number], minute: number, day: number): boolean {
  const isOn = (each: number): boolean => days === undefined || days.includes(each)
  if (fromMinute < toMinute) return isOn(day) && minute >= fromMinute && minute < toMinute
  if (minute >= fromMinute % MINUTES) return isOn(day)
  return minute < toMinute && isOn((day + 6) % 7)
}
