import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { compiledProgram } from '../helpers/compiled-program.ts';
import type { ToolResult } from '../helpers/run-tool.ts';
import { tableRows } from '../helpers/tables.ts';
import { TemporaryDirectory } from '../helpers/temporary-directory.ts';
import { watch } from '../helpers/watch.ts';

// A virtual machine whose only program writes to a port 100 times and halts.
const source = `
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

int main(void)
{
	/* mov $100, %cx; again: out %al, $0x10; loop again; hlt */
	static const unsigned char program[] = { 0xb9, 100, 0, 0xe6, 0x10, 0xe2, 0xfc, 0xf4 };
	int kvm = open("/dev/kvm", O_RDWR), machine = ioctl(kvm, KVM_CREATE_VM, 0), processor, outs = 0;
	void *memory = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.guest_phys_addr = 4096, .memory_size = 4096, .userspace_addr = (unsigned long)memory,
	};
	struct kvm_regs registers = { .rip = 4096, .rflags = 2 };
	struct kvm_sregs segments;
	struct kvm_run *run;

	memcpy(memory, program, sizeof(program));
	processor = ioctl(machine, KVM_CREATE_VCPU, 0);
	run = mmap(0, ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE, MAP_SHARED, processor, 0);
	if (ioctl(machine, KVM_SET_USER_MEMORY_REGION, &region) || run == MAP_FAILED ||
	    ioctl(processor, KVM_GET_SREGS, &segments))
		return 1;
	segments.cs.base = segments.cs.selector = 0;
	if (ioctl(processor, KVM_SET_SREGS, &segments) || ioctl(processor, KVM_SET_REGS, &registers))
		return 1;
	while (!ioctl(processor, KVM_RUN, 0) && run->exit_reason == KVM_EXIT_IO)
		outs++;
	printf("%d %d\\n", outs, run->exit_reason == KVM_EXIT_HLT);
	return 0;
}
`;

/** Whether a processor's own virtualization is there: only that tells each exit. */
function hasVirtualization(): boolean {
  const modules = ['kvm_amd', 'kvm_intel'];
  for (const module of modules) {
    spawnSync('modprobe', [module]);
  }
  return existsSync('/dev/kvm') && modules.some((module) => existsSync(`/sys/module/${module}`));
}

test('each exit is counted, by its reason', async (t) => {
  if (!hasVirtualization()) {
    t.skip('the processor does not virtualize');
    return;
  }
  using place = new TemporaryDirectory();
  const program = compiledProgram(t, place, 'tinymachine', source);
  if (program === undefined) {
    return;
  }
  const own = ['--json', '--comm', 'tinymachine'];
  const { all, first, second, stranger, text } = await watch(
    'kvmexit',
    {
      all: own,
      first: [...own, '-v', '0'],
      second: [...own, '-v', '1'],
      stranger: [...own, '-T', '1,2'],
      text: ['--comm', 'tinymachine'],
    },
    () => assert.equal(execFileSync(program, { encoding: 'utf8' }), '100 1\n'),
  );
  const counts = (result: ToolResult) =>
    Object.fromEntries(tableRows(result.messages).map(({ reason, count }) => [String(reason).toLowerCase(), count]));
  const { io, io_instruction, hlt } = counts(all);
  assert.equal(io ?? io_instruction, 100);
  assert.equal(hlt, 1);
  assert.deepEqual(counts(first), counts(all));
  assert.deepEqual(counts(second), {});
  assert.deepEqual(counts(stranger), {});
  assert.match(text.stdout, /^ *PID +TID +KVM_EXIT_REASON +COUNT\n *\d+ +\d+ io\w* +100\n/i);
});
