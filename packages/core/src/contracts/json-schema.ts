/** A JSON Schema 2020-12 document as plain data (TypeBox output is one). */
export type JsonSchema = { readonly [key: string]: unknown }
