import { describe, expect, it } from 'vitest';
import { originList } from './origin.ts';

const list = originList(3000, ['https://lab.example', 'http://localhost:8080']);

describe('hosts', () => {
  it.each(['localhost:3000', '127.0.0.1:3000', '[::1]:3000', 'LOCALHOST:3000', 'lab.example', 'lab.example:443'])(
    'answers to %s',
    (host) => expect(list.hostAllowed(host)).toBe(true),
  );
  it.each([
    undefined,
    '',
    'localhost',
    'localhost:3001',
    'rebound.example:3000',
    'localhost:3000.evil.example',
    'lab.example:80',
    '127.0.0.1:3000@evil',
    '127.1:3000',
  ])('refuses %s', (host) => expect(list.hostAllowed(host)).toBe(false));
});

describe('origins', () => {
  it('accepts the origin of the host that was asked', () => {
    expect(list.originAllowed('http://localhost:3000', 'localhost:3000')).toBe(true);
    expect(list.originAllowed('https://lab.example', 'lab.example')).toBe(true);
  });
  it.each([
    [undefined, 'localhost:3000'],
    ['null', 'localhost:3000'],
    ['', 'localhost:3000'],
    ['http://evil.example', 'localhost:3000'],
    ['https://localhost:3000', 'localhost:3000'],
    ['http://localhost:3000/', 'localhost:3000'],
    ['http://localhost:8080', 'localhost:3000'],
    ['http://localhost:3000', undefined],
    ['http://evil.example', 'evil.example'],
    ['undefined', 'evil.example'],
  ])('refuses %s to %s', (origin, host) => expect(list.originAllowed(origin, host)).toBe(false));
  it('knows which hosts are reached under TLS', () => {
    expect(list.isSecure('lab.example')).toBe(true);
    expect(list.isSecure('localhost:3000')).toBe(false);
  });
});
