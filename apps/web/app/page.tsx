// `/`: the catalogue.
import { cookies } from 'next/headers';
import { Catalogue } from '../features/catalogue/catalogue.tsx';
import { THEME_COOKIE, readTheme } from '../features/frame/theme.ts';
import { pageSource } from './page-source.ts';

export default async function CataloguePage() {
  const { pages, learner } = await pageSource();
  const catalogue = await pages.catalogue(learner);
  return <Catalogue catalogue={catalogue} theme={readTheme((await cookies()).get(THEME_COOKIE)?.value)} />;
}
