// All routes of Docker's API, one file per kind of object, and how their bodies are read.
import type { FastifyInstance } from 'fastify';
import type { ArchiveBackend } from './archive-backend.ts';
import { archiveRoutes } from './archive.ts';
import type { SystemBackend } from './backend.ts';
import { commitRoute, type CommitBackend } from './commit.ts';
import { diskUsageRoutes, type DiskUsageBackend } from './df.ts';
import type { ImagesBackend } from './images-backend.ts';
import { imageCreateRoutes, type ImagesCreateBackend } from './images-create.ts';
import { imageRoutes } from './images.ts';
import type { ContainersBackend } from './containers-backend.ts';
import { containerRoutes } from './containers.ts';
import { containerWaitRoute } from './containers-wait.ts';
import { streamRoutes } from './streams.ts';
import type { StreamsBackend } from './streams-backend.ts';
import { registryRoutes } from './registries.ts';
import { swarmRoutes } from './swarm.ts';
import { systemRoutes } from './system.ts';
import { volumeRoutes, type VolumesBackend } from './volumes.ts';

export interface DockerBackends {
  system: SystemBackend;
  images: ImagesBackend & ImagesCreateBackend;
  commit: CommitBackend;
  diskUsage: DiskUsageBackend;
  containers: ContainersBackend;
  archive: ArchiveBackend;
  volumes: VolumesBackend;
  streams: StreamsBackend;
}

export function dockerRoutes(app: FastifyInstance, backends: DockerBackends): void {
  readBodiesAsDockerDoes(app);
  systemRoutes(app, backends.system);
  imageRoutes(app, backends.images);
  imageCreateRoutes(app, backends.images);
  commitRoute(app, backends.commit);
  diskUsageRoutes(app, backends.diskUsage);
  containerRoutes(app, backends.containers);
  archiveRoutes(app, backends.archive);
  containerWaitRoute(app, backends.containers);
  streamRoutes(app, backends.streams);
  registryRoutes(app);
  swarmRoutes(app);
  volumeRoutes(app, backends.volumes);
}

/** Clients send "application/json" with no body at all, and tar archives under several types: those are handed to the route
 * as the stream they are (`request.body` is a Readable), however long. */
export function readBodiesAsDockerDoes(app: FastifyInstance): void {
  // The docker CLI sends archives as text/plain (that is what its HTTP library makes of a body without a type).
  app.removeContentTypeParser(['application/json', 'text/plain']);
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') return done(null, undefined);
    try {
      done(null, JSON.parse(String(body)));
    } catch (error) {
      done(Object.assign(error as Error, { statusCode: 400 }));
    }
  });
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
}
