import { LbError } from '@plimsoll/core/client'

/** What the user typed cannot be done; leaves with exit code 2. */
export function wrongInput(message: string, hint: string): LbError {
  return new LbError(message, { code: 'LB_WRONG_INPUT', source: 'operator', hint })
}
