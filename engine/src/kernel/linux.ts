// The real kernel.
import type { Kernel } from './kernel.ts';
import { launchPlan, recoverKept, runPlan } from './launch.ts';

export const linux: Kernel = { run: runPlan, launch: launchPlan, recover: recoverKept };
