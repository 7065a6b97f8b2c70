// How Next builds the app. The lab server (apps/server) starts it and owns headers, CSP and sockets; nothing of that is here.
import { resolve } from 'node:path';

/** @type {import('next').NextConfig} */
export default {
  // Types are checked once, for the whole repository, by `npm run types`; Next would check this folder a second time.
  typescript: { ignoreBuildErrors: true },
  poweredByHeader: false,
  reactStrictMode: true,
  transpilePackages: ['@drydock/protocol', '@drydock/engine'],
  devIndicators: false,
  turbopack: {
    root: resolve(import.meta.dirname, '../..'),
    // What next-intl's plugin would set; the plugin looks below the working directory, which is the repository's root here.
    resolveAlias: { 'next-intl/config': './i18n/request.ts' },
  },
};
