-- The first schema: learners, sessions, leases, lessons, steps, predictions, attempts, recordings.
CREATE TABLE "Learner" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastSeenAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE "Session" (
    "hash" TEXT NOT NULL PRIMARY KEY,
    "learnerId" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "lastSeenAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Session_learnerId_fkey" FOREIGN KEY ("learnerId") REFERENCES "Learner" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "Lease" (
    "learnerId" TEXT NOT NULL PRIMARY KEY,
    "sandbox" TEXT NOT NULL,
    "lastSeenAt" DATETIME NOT NULL,
    "startedAt" DATETIME NOT NULL,
    "endsAt" DATETIME NOT NULL,
    "frozenAt" DATETIME,
    "stoppedAt" DATETIME,
    CONSTRAINT "Lease_learnerId_fkey" FOREIGN KEY ("learnerId") REFERENCES "Learner" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "Enrolment" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "learnerId" TEXT NOT NULL,
    "track" TEXT NOT NULL,
    "lesson" TEXT NOT NULL,
    "openedAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT "Enrolment_learnerId_fkey" FOREIGN KEY ("learnerId") REFERENCES "Learner" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "StepRecord" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "enrolmentId" INTEGER NOT NULL,
    "step" TEXT NOT NULL,
    "startedAt" DATETIME NOT NULL,
    "sandboxEpoch" TEXT NOT NULL,
    "baseline" TEXT NOT NULL,
    "hintsOpened" TEXT NOT NULL DEFAULT '[]',
    "solutionOpened" BOOLEAN NOT NULL DEFAULT false,
    "explained" TEXT,
    "explainedAt" DATETIME,
    "solvedAt" DATETIME,
    "firstVerdict" TEXT,
    CONSTRAINT "StepRecord_enrolmentId_fkey" FOREIGN KEY ("enrolmentId") REFERENCES "Enrolment" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "Prediction" (
    "stepId" INTEGER NOT NULL PRIMARY KEY,
    "option" TEXT NOT NULL,
    "madeAt" DATETIME NOT NULL,
    "observed" TEXT,
    CONSTRAINT "Prediction_stepId_fkey" FOREIGN KEY ("stepId") REFERENCES "StepRecord" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "Attempt" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "stepId" INTEGER NOT NULL,
    "at" DATETIME NOT NULL,
    "solved" BOOLEAN NOT NULL,
    "hint" TEXT,
    "verdict" TEXT NOT NULL,
    CONSTRAINT "Attempt_stepId_fkey" FOREIGN KEY ("stepId") REFERENCES "StepRecord" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "Recording" (
    "id" INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    "stepId" INTEGER NOT NULL,
    "fromMs" BIGINT NOT NULL,
    "toMs" BIGINT NOT NULL,
    "entries" INTEGER NOT NULL,
    "bytes" INTEGER NOT NULL,
    "data" BLOB NOT NULL,
    CONSTRAINT "Recording_stepId_fkey" FOREIGN KEY ("stepId") REFERENCES "StepRecord" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE INDEX "Session_lastSeenAt_idx" ON "Session"("lastSeenAt");
CREATE UNIQUE INDEX "Lease_sandbox_key" ON "Lease"("sandbox");
CREATE UNIQUE INDEX "Enrolment_learnerId_track_lesson_key" ON "Enrolment"("learnerId", "track", "lesson");
CREATE UNIQUE INDEX "StepRecord_enrolmentId_step_key" ON "StepRecord"("enrolmentId", "step");
CREATE INDEX "Attempt_stepId_idx" ON "Attempt"("stepId");
CREATE INDEX "Recording_stepId_idx" ON "Recording"("stepId");
