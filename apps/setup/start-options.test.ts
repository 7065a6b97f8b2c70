import { expect, it } from 'vitest';
import { labUrl, parseStartOptions } from './start-options.mjs';

it('listens on this machine’s port 3000 unless told otherwise', () => {
  expect(parseStartOptions([])).toMatchObject({ host: '127.0.0.1', port: 3000, service: false, stop: false });
  expect(labUrl(parseStartOptions(['--host', '::1', '--port', '8080']))).toBe('http://[::1]:8080');
});

it('refuses an address that others can reach, and says how to reach the lab instead', () => {
  for (const host of ['0.0.0.0', '::', '192.0.2.7', 'lab.example']) {
    expect(() => parseStartOptions(['--host', host])).toThrow(/no accounts and no TLS.*ssh -L/);
  }
});

it('refuses what is no port, and options it does not know', () => {
  for (const port of ['0', '65536', '80a', '1.5', ''])
    expect(() => parseStartOptions(['--port', port])).toThrow(/from 1 to 65535/);
  expect(() => parseStartOptions(['--prot', '80'])).toThrow(/--prot.*npm start --/s);
});
