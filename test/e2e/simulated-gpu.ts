/** A machine with one simulated GPU: a stand-in of `nvidia-smi` on a PATH of the test's own, and the memory that simulated engines share. */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const TOTAL_MIB = 81_559

export class SimulatedGpu {
  readonly folder = join(tmpdir(), `lb-one-gpu-${process.pid}-${performance.now()}`)

  constructor() {
    mkdirSync(join(this.folder, 'bin'), { recursive: true })
    writeFileSync(join(this.folder, 'total'), String(TOTAL_MIB))
    const script = `#!/bin/bash
cd ${this.folder}
case "$1" in --query-gpu=*)
  used=0
  for file in *.used; do [ -e "/proc/\${file%.used}" ] && used=$((used + $(cat "$file" 2>/dev/null || echo 0))); done
  echo "0, GPU-00000000-aaaa, NVIDIA H100, 00000000:00:00.0, ${TOTAL_MIB}, $used, $((${TOTAL_MIB} - used)), 40, 30, Disabled"
esac
`
    writeFileSync(join(this.folder, 'bin', 'nvidia-smi'), script)
    chmodSync(join(this.folder, 'bin', 'nvidia-smi'), 0o755)
  }

  /** What `lb` needs to see it, and nothing of the machine that the test runs on. */
  get env(): NodeJS.ProcessEnv {
    return { PATH: `${join(this.folder, 'bin')}:${process.env['PATH']}`, LB_GPU_FOLDER: join(this.folder, 'gpus') }
  }

  /** Of living engines, in MiB. */
  get used(): number {
    return readdirSync(this.folder)
      .filter((name) => name.endsWith('.used') && isAlive(Number.parseInt(name, 10)))
      .reduce((sum, name) => sum + Number(readFileSync(join(this.folder, name), 'utf8')), 0)
  }

  close(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
