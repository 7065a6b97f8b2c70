// Runs the guest: one QEMU process under emulation, without network, whose second serial port brings the results.
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** The whole life of a guest; more means that it hangs. */
const HANG_MS = 300_000;

/**
 * Emulation, not KVM: where this runs is often a virtual machine itself, whose /dev/kvm is absent or starts no such guest.
 * @param {{ vmlinuz: string, initramfs: string, image: string, cache: string }} guest
 * @param {(line: string) => void} onLine each line of the results
 * @returns {Promise<string | null>} why it ended badly, or null
 */
export function runGuest({ vmlinuz, initramfs, image, cache }, onLine) {
  const args = [
    ...'-accel tcg,thread=multi -M q35 -cpu max -m 1024 -smp 2 -display none -monitor none -no-reboot -nodefaults'.split(
      ' ',
    ),
    '-serial',
    `file:${join(cache, 'console.log')}`,
    '-serial',
    'stdio',
    '-kernel',
    vmlinuz,
    '-initrd',
    initramfs,
    '-drive',
    `id=root,file=${image},format=raw,if=none,readonly=on`,
    '-device',
    'virtio-blk-pci,drive=root',
    // panic=-1: reboot at once, which -no-reboot turns into the end.
    '-append',
    'console=ttyS0 reboot=t panic=-1 quiet random.trust_cpu=on',
  ];
  return new Promise((resolve) => {
    const child = spawn('qemu-system-x86_64', args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let hung = false;
    let said = '';
    let rest = '';
    const guard = setTimeout(() => {
      hung = true;
      child.kill('SIGKILL');
    }, HANG_MS);
    // Whoever ends this program ends the guest with it.
    const interrupted = () => {
      child.kill('SIGKILL');
      process.exit(130);
    };
    process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const lines = `${rest}${text}`.split(/\r?\n/);
      rest = lines.pop() ?? '';
      for (const line of lines) onLine(line);
    });
    child.stderr.setEncoding('utf8').on('data', (text) => (said += text));
    child.on('error', (error) => (said += error.message));
    child.on('close', (code) => {
      clearTimeout(guard);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      if (hung) resolve(`it was still running after ${HANG_MS / 1000} s and was ended`);
      else resolve(code === 0 ? null : `QEMU ended with status ${code}: ${said.trim()}`);
    });
  });
}
