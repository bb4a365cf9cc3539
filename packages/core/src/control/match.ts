import { controlRoutes, type ControlRoute } from './routes.js'

export interface RouteMatch {
  readonly route: ControlRoute
  readonly params: Readonly<Record<string, string>>
}

/** The route for a method and path; `wrong-method` where only the path is known. */
export function matchRoute(method: string, path: string): RouteMatch | 'wrong-method' | 'unknown' {
  let pathKnown = false
  for (const route of controlRoutes) {
    const params = matchPath(route.path, path)
    if (params === undefined) continue
    if (route.method === method) return { route, params }
    pathKnown = true
  }
  return pathKnown ? 'wrong-method' : 'unknown'
}

function matchPath(pattern: string, path: string): Record<string, string> | undefined {
  const wanted = pattern.split('/')
  const given = path.split('/')
  if (wanted.length !== given.length) return undefined
  const params: Record<string, string> = {}
  for (const [index, part] of wanted.entries()) {
    const value = given[index] ?? ''
    if (part.startsWith('{')) params[part.slice(1, -1)] = decode(value)
    else if (part !== value) return undefined
  }
  return params
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
