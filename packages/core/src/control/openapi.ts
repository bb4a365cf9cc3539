import { controlRoutes } from './routes.js'

/** The OpenAPI 3.1 document of the control API, made from the route table, so that it cannot differ from it. */
export function controlOpenApi(): object {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const route of controlRoutes) {
    const operations = (paths[route.path] ??= {})
    operations[route.method.toLowerCase()] = {
      summary: route.summary,
      parameters: parameterNames(route.path).map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
      ...(route.body === undefined ? {} : { requestBody: { required: true, content: { 'application/json': { schema: route.body } } } }),
      responses: { '200': { description: 'done' }, '4XX': errorResponse, '5XX': errorResponse },
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Plimsoll control API', version: '1', description: 'Served on a unix socket that only its owner can open.' },
    paths,
  }
}

const errorResponse = {
  description: 'an error that names what, why and what next',
  content: {
    'application/json': {
      schema: {
        type: 'object',
        required: ['error'],
        properties: {
          error: {
            type: 'object',
            required: ['code', 'message'],
            properties: { code: { type: 'string' }, message: { type: 'string' }, hint: { type: 'string' } },
          },
        },
      },
    },
  },
}

function parameterNames(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? '')
}
