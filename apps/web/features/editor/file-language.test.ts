import { describe, expect, it } from 'vitest';
import { absolutePath, languageOf, runLine, shellWord } from './file-language.ts';

describe('languageOf', () => {
  it('goes by the extension, then by the interpreter', () => {
    expect(languageOf('/root/a.py', '')).toBe('python');
    expect(languageOf('/root/.bashrc', '')).toBe('shell');
    expect(languageOf('/root/run', '#!/usr/bin/env bash\necho')).toBe('shell');
    expect(languageOf('/root/run', '#!/usr/bin/python3\n')).toBe('python');
    expect(languageOf('/etc/hostname', 'dock')).toBe('plaintext');
  });
});

describe('runLine', () => {
  it('runs a file that is not executable, whatever its name', () => {
    expect(runLine('/root/run.sh', 'shell')).toBe('bash /root/run.sh');
    expect(runLine("/root/it's; rm.py", 'python')).toBe("python3 '/root/it'\\''s; rm.py'");
    expect(shellWord('/a b')).toBe("'/a b'");
  });
});

describe('absolutePath', () => {
  it('takes names as the shell at home would', () => {
    expect(absolutePath(' run.sh ')).toBe('/root/run.sh');
    expect(absolutePath('~/run.sh')).toBe('/root/run.sh');
    expect(absolutePath('/etc/hosts')).toBe('/etc/hosts');
  });
});
