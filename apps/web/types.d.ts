// Types that the build brings along: CSS modules and images by Next, message keys for next-intl.
/// <reference types="next" />
/// <reference types="next/types/global" />
import type en from './messages/en.json';
import type { Language } from '@drydock/protocol/language.ts';

declare module 'next-intl' {
  interface AppConfig {
    Messages: typeof en;
    Locale: Language;
  }
}
