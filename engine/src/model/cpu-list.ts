// Lists of processors and memory nodes as the kernel writes them: "0-3,8" (man 7 cpuset, "List format"). Pure.

/** Numbers up to this are read; more only where there are as many. A range costs memory for each of its numbers. */
const MOST = 8192;

/** Throws RangeError in moby's words (pkg/sysinfo, parseUintList) for what is no list, or above `most` (0: no bound). */
export function parseCpuList(text: string, most = 0): Set<number> {
  const found = new Set<number>();
  if (text === '') return found;
  for (const part of text.split(',')) {
    const [from = '', to = from] = part.includes('-') ? cut(part) : [part];
    if (![from, to].every((one) => /^\+?\d+$/.test(one))) throw new RangeError(`invalid format: ${text}`);
    const [first, last] = [Number(from), Number(to)];
    if (last < first) throw new RangeError(`invalid format: ${text}`);
    if (most > 0 && last > most) throw new RangeError(`value of out range, maximum is ${most}`);
    for (let one = first; one <= last; one += 1) found.add(one);
  }
  return found;
}

function cut(part: string): [string, string] {
  const at = part.indexOf('-');
  return [part.slice(0, at), part.slice(at + 1)];
}

/** Whether every number that is asked for is there. Throws as parseCpuList. */
export function isAvailable(requested: string, available: string): boolean {
  const there = parseCpuList(available);
  const most = Math.max(MOST, ...there);
  return [...parseCpuList(requested, most)].every((one) => there.has(one));
}
