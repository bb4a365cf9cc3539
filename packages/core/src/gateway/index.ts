/**
 * Owns the HTTP face that clients talk to: routes, keys, its own pages. Refuses to decide anything about nodes.
 * Read first: routes.ts, then create-gateway.ts.
 */
export { createGateway, type Gateway, type GatewayOptions } from './create-gateway.js'
export { createCors, type Cors } from './cors.js'
export { createKeyRing, type KeyRing } from './key-ring.js'
export { gatewayRoutes } from './routes.js'
