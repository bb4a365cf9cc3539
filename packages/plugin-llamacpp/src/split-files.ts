/** `x-00001-of-00003.gguf` stands for three files beside each other; llama-server wants the first and finds the rest. Any other name stands for itself. */
export function splitFiles(path: string): readonly string[] {
  const [, stem = '', , all = ''] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i.exec(path) ?? []
  if (all === '') return [path]
  return Array.from({ length: Number(all) }, (_, index) => `${stem}-${String(index + 1).padStart(5, '0')}-of-${all}.gguf`)
}
