import { type LogRule, rule } from './log-rule.js'

/** Files and settings. */
export const modelRules: readonly LogRule[] = [
  rule(
    'model-missing',
    /failed to open (?:GGUF )?file '?([^']+?)'? \(No such file|'([^']+)' \(No such file or directory\)|failed to open (\S+): No such file/,
    ([, a, b, c]) => `${a ?? b ?? c} is not there`,
    'launch.model wants an absolute path on the machine of the node, or hf:org/repo:quant',
  ),
  rule('model-missing', /failed to open.*Permission denied/, 'the model may not be read', 'chmod a+r, or run lb as a user who may'),
  rule(
    'model-missing',
    /tensor '.*' data is not within the file bounds|model is corrupted or incomplete|failed to read tensor (?:info|data)|unexpectedly reached end of file/,
    'the model file is not whole',
    'fetch it again; lb plan compares its length with what its header promises',
  ),
  rule(
    'bad-settings',
    /invalid magic characters|invalid magic number|is this really a GGML file/,
    'the model is no GGUF file',
    'a checkpoint in another format has to be converted first (convert_hf_to_gguf.py of llama.cpp)',
  ),
  rule(
    'bad-settings',
    /unknown model architecture: '?([^'\s]+)'?/,
    ([, name]) => `this build does not know the architecture ${name}`,
    'take a newer llama-server',
  ),
  rule(
    'bad-settings',
    /GGUF file is version (\d+)|bad GGUF version|failed to read key-value pairs|wrong number of tensors|missing tensor '([^']+)'|key not found in model: (\S+)/,
    ([line]) => `this build cannot read the model: ${line}`,
    'take a newer llama-server, or a newer conversion of the model',
  ),
  rule(
    'model-missing',
    /(?:illegal split file|invalid split|failed to load GGUF split|missing split)/,
    'a part of the split model is missing or does not belong to it',
    'all parts lie beside each other; launch.model names the first',
  ),
  rule(
    'bad-settings',
    // The value after = may be a secret.
    /error: (?:invalid|unknown) argument: (-[^\s=]+)/,
    ([, flag]) => `this build does not know ${flag}`,
    'take a newer llama-server, or leave the setting out; llama-server --help lists what it knows',
  ),
  rule(
    'bad-settings',
    /error while handling argument "([^"]+)": (.*)/,
    ([, flag, why]) => `${flag}: ${why}`,
    'correct the setting; llama-server --help says what it takes',
  ),
  rule(
    'bad-settings',
    /error while handling environment variable "([^"]+)"/,
    ([, name]) => `the variable ${name} in launch.env is wrong`,
    'LLAMA_ARG_* variables are settings too; args is the place for them',
  ),
  rule(
    'bad-settings',
    /V cache quantization requires flash_attn|quantized V cache .* requires flash/i,
    'a quantised kvTypeV needs flash attention',
    'flashAttention: on',
  ),
  rule(
    'bad-settings',
    /failed to apply lora adapter|failed to load lora adapter|llama_adapter_lora_init\S*: (.*)/,
    'a LoRA adapter does not fit this model',
    'an adapter belongs to the base model that it was trained on',
  ),
  rule(
    'bad-settings',
    /failed to load multimodal model|failed to load mmproj/,
    'the projector (mmproj) does not fit this model',
    'take the projector that comes with the model',
  ),
  rule(
    'bad-settings',
    /chat template .*(?:not supported|parsing error|failed)|failed to parse.*template/i,
    'the chat template cannot be used',
    'jinja: true, or a chatTemplateFile that fits the model',
  ),
]

/** Models that are fetched at the start. */
export const fetchRules: readonly LogRule[] = [
  rule(
    'bad-settings',
    /HTTPS is not supported/,
    'this build cannot fetch models: it was made without HTTPS',
    'take a build with it, or fetch the file yourself and name its path',
  ),
  rule(
    'no-space',
    /No space left on device/,
    'the disk is full',
    'models are kept below HF_HOME; make room there or name another folder in launch.env',
  ),
  rule(
    'model-gated',
    /GET failed \((?:401|403)\)|HEAD failed, status: (?:401|403)/,
    'the repository on Hugging Face is private or gated',
    'accept its terms on its page and give a token: launch.env HF_TOKEN: { env: HF_TOKEN }',
  ),
  rule(
    'model-missing',
    /GET failed \(404\)|no GGUF files? found|failed to find .* in repo|invalid repository: (\S+)/,
    'the repository or the quantisation is not on Hugging Face',
    'hf:org/repo:quant, as the page of the model writes it',
  ),
  rule(
    'model-missing',
    /required file is not available in cache \(offline mode\)/,
    'the model is not in the cache, and offline is set',
    'fetch it once without offline',
  ),
  rule(
    'no-network',
    /HTTPLIB failed|HEAD failed, status: -1|cannot make GET request|Could not resolve host|download failed after/,
    'the model cannot be fetched: the network does not answer',
    'a proxy goes into HTTPS_PROXY; fetched models need no network',
  ),
]

/** What is left when nothing says why. */
export const lastRules: readonly LogRule[] = [
  rule(
    'other',
    /failed to load model,? '?([^']*)'?/,
    ([, path]) => (path ? `the model ${path} could not be loaded` : 'the model could not be loaded'),
    'the lines before it in the log say why; lb logs shows them',
  ),
  rule(
    'other',
    /(GGML_ASSERT\(.*|Segmentation fault.*|terminate called after.*)/,
    ([, what]) => `llama-server crashed: ${what}`,
    'its log may say more; a newer build may have it mended',
  ),
]
