// A container's health as moby reckons it: which command, how often, and what a probe's result makes of it. Pure.
import type { HealthConfig } from './container-config.ts';

/** As inspect's State.Health tells it. */
export interface Health {
  readonly Status: 'starting' | 'healthy' | 'unhealthy';
  readonly FailingStreak: number;
  /** The last five, oldest first. */
  readonly Log: readonly Probe[];
}

export interface Probe {
  /** RFC 3339. */
  readonly Start: string;
  readonly End: string;
  /** 0 healthy, 1 unhealthy; -1 when it took too long. */
  readonly ExitCode: number;
  readonly Output: string;
}

export const UNCHECKED: Health = { Status: 'starting', FailingStreak: 0, Log: [] };
const NS_PER_MS = 1_000_000;
const DEFAULT_INTERVAL_MS = 30_000;
const DEFAULT_TIMEOUT_MS = 30_000;
const DEFAULT_START_INTERVAL_MS = 5_000;
const DEFAULT_RETRIES = 3;
const KEPT_PROBES = 5;
const DEFAULT_SHELL = ['/bin/sh', '-c'];

/** What is executed; null for no check. */
export function healthCommand(
  config: HealthConfig,
  shell: readonly string[] = DEFAULT_SHELL,
): readonly string[] | null {
  const [kind, ...rest] = config.Test;
  if (kind === 'CMD') return rest;
  if (kind === 'CMD-SHELL') return [...shell, ...rest];
  return null;
}

export const probeTimeoutMs = ({ Timeout }: HealthConfig): number => Timeout / NS_PER_MS || DEFAULT_TIMEOUT_MS;

/** How long to wait for the next probe of a container that has run so long. */
export function checkDelayMs(config: HealthConfig, status: Health['Status'], runMs: number): number {
  const interval = config.Interval / NS_PER_MS || DEFAULT_INTERVAL_MS;
  const isStarting = status === 'starting' && runMs < config.StartPeriod / NS_PER_MS;
  return isStarting ? config.StartInterval / NS_PER_MS || DEFAULT_START_INTERVAL_MS : interval;
}

/** `runMs`: how long the container ran when the probe began. A failure in the start period is not counted. */
export function afterProbe(config: HealthConfig, before: Health, probe: Probe, runMs: number): Health {
  const Log = [...before.Log, probe].slice(-KEPT_PROBES);
  if (probe.ExitCode === 0) return { Status: 'healthy', FailingStreak: 0, Log };
  if (before.Status === 'starting' && runMs < config.StartPeriod / NS_PER_MS) return { ...before, Log };
  const FailingStreak = before.FailingStreak + 1;
  const isBad = FailingStreak >= (config.Retries || DEFAULT_RETRIES);
  return { Status: isBad ? 'unhealthy' : before.Status, FailingStreak, Log };
}
