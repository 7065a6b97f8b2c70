// The OpenAPI 3.1 document of lab.sock, made from the route table. Pure.
import { z } from 'zod';
import { ROUTES, type Route } from './route-table.ts';
import { errorSchema } from './schemas.ts';

const schema = (type: z.ZodType, io: 'input' | 'output') => {
  const { $schema: _, ...json } = z.toJSONSchema(type, { io, unrepresentable: 'any' });
  return json;
};

function parameters(route: Route): unknown[] {
  const of = (where: 'path' | 'query', type: z.ZodObject | undefined) =>
    Object.entries(type?.shape ?? {}).map(([name, value]) => ({
      name,
      in: where,
      required: where === 'path' || !(value as z.ZodType).safeParse(undefined).success,
      schema: schema(value as z.ZodType, 'input'),
    }));
  return [...of('path', route.params), ...of('query', route.query)];
}

function operation(name: string, route: Route): Record<string, unknown> {
  const ok = route.answer
    ? {
        description: 'done',
        content: { [route.type ?? 'application/json']: { schema: schema(route.answer, 'output') } },
      }
    : { description: 'done' };
  const error = {
    description: 'what happened, to what, what to do',
    content: { 'application/json': { schema: schema(errorSchema, 'output') } },
  };
  return {
    operationId: name,
    summary: route.summary,
    parameters: parameters(route),
    ...(route.body && {
      requestBody: { required: true, content: { 'application/json': { schema: schema(route.body, 'input') } } },
    }),
    responses: { [route.status ?? (route.answer ? 200 : 204)]: ok, default: error },
  };
}

/** The whole document, for GET /lab/openapi.json. */
export function openApiDocument(version: string): Record<string, unknown> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, route] of Object.entries<Route>(ROUTES))
    (paths[route.path] ??= {})[route.method.toLowerCase()] = operation(name, route);
  return {
    openapi: '3.1.0',
    info: {
      title: 'Drydock lab API',
      version,
      description:
        'Sandboxes, terminals, files and observation, on a unix socket. It can name no host path and no privilege.',
    },
    paths,
  };
}
