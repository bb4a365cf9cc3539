/** A page in the form of vLLM's `/metrics`; names and labels from its source at 5eaa70dac, figures made up. */
export function metricsPage(
  options: { readonly running?: number; readonly waiting?: number; readonly steps?: number; readonly asleep?: boolean } = {},
): string {
  const { running = 0, waiting = 0, steps = 1000, asleep = false } = options
  return `# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="qwen3-4b"} ${running}.0
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{engine="0",model_name="qwen3-4b"} ${waiting}.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="qwen3-4b",reason="capacity"} ${waiting}.0
vllm:engine_sleep_state{engine="0",model_name="qwen3-4b",sleep_state="awake"} ${asleep ? '0.0' : '1.0'}
vllm:engine_sleep_state{engine="0",model_name="qwen3-4b",sleep_state="weights_offloaded"} ${asleep ? '1.0' : '0.0'}
vllm:engine_sleep_state{engine="0",model_name="qwen3-4b",sleep_state="discard_all"} 0.0
vllm:kv_cache_usage_perc{engine="0",model_name="qwen3-4b"} 0.25
vllm:prefix_cache_queries_total{engine="0",model_name="qwen3-4b"} 4096.0
vllm:prefix_cache_hits_total{engine="0",model_name="qwen3-4b"} 1024.0
vllm:prompt_tokens_total{engine="0",model_name="qwen3-4b"} 5000.0
vllm:prompt_tokens_created{engine="0",model_name="qwen3-4b"} 1.7e+09
vllm:prompt_tokens_cached_total{engine="0",model_name="qwen3-4b"} 1040.0
vllm:generation_tokens_total{engine="0",model_name="qwen3-4b"} 700.0
vllm:iteration_tokens_total_count{engine="0",model_name="qwen3-4b"} ${steps}.0
vllm:cache_config_info{block_size="16",cache_dtype="auto",enable_prefix_caching="True",engine="0",gpu_memory_utilization="0.92",num_gpu_blocks="27648"} 1.0
vllm:lora_requests_info{max_lora="4",running_lora_adapters="old",waiting_lora_adapters=""} 1.7000000e+09
vllm:lora_requests_info{max_lora="4",running_lora_adapters="sql,de",waiting_lora_adapters="fr"} 1.7000099e+09
`
}
