import type { ControlClient } from './control-client.js'
import { openConnection, type ConnectionQuery } from './open-connection.js'

/** Does something with the balancer that is meant, and closes the connection whatever came of it. */
export async function withClient<Result>(query: ConnectionQuery, act: (client: ControlClient) => Promise<Result>): Promise<Result> {
  const connection = await openConnection(query)
  try {
    return await act(connection.client)
  } finally {
    connection.close()
  }
}
