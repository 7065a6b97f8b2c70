// How a process ended, as one number. Pure.
import type { ProcessExit } from '../model/keeper-record.ts';

/** As a shell counts; 255 when nobody saw the end. */
export const exitCodeOf = ({ code, signal }: ProcessExit): number => code ?? (signal === null ? 255 : 128 + signal);
