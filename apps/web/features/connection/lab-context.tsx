'use client';
// Hands the lab to the components of a lesson page.
import { createContext, useContext } from 'react';
import { useStore } from 'zustand';
import type { LabState } from './lab-state.ts';
import type { Lab } from './lab.ts';

const LabContext = createContext<Lab | null>(null);

export const LabProvider = LabContext.Provider;

export function useLab(): Lab {
  const lab = useContext(LabContext);
  if (!lab) throw new Error('useLab outside of a LabProvider');
  return lab;
}

/** A part of the lab's state; the component renders again only when that part changes. */
export function useLabState<T>(select: (state: LabState) => T): T {
  return useStore(useLab().store, select);
}
