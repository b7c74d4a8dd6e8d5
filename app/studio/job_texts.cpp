#include "app/studio/job_texts.h"

#include <QCoreApplication>

#include "app/studio/job_queue.h"
#include "app/studio/sweeps.h"
#include "app/studio/texts.h"

namespace pareto::studio {

using jobs::Sweep;

namespace {

QString whoText(const FollowedSweep& sweep) {
    switch (sweep.state) {
    case SweepState::Unread:
        return QCoreApplication::translate("JobTexts", "being looked at");
    case SweepState::Starting:
        return QCoreApplication::translate("JobTexts", "starting");
    case SweepState::InSlurm:
        return QCoreApplication::translate("JobTexts", "waiting in Slurm");
    case SweepState::Stopping:
        return QCoreApplication::translate("JobTexts", "stopping");
    case SweepState::Cancelled:
        return QCoreApplication::translate("JobTexts", "cancelled; Retry goes on");
    case SweepState::Abandoned:
        return QCoreApplication::translate("JobTexts", "nobody works on it; Retry goes on");
    case SweepState::Broken:
    case SweepState::Working:
    case SweepState::Ended:
        return {};
    }
    return {};
}

}  // namespace

QString countsText(const FollowedSweep& sweep) {
    const auto failed = sweep.count(Sweep::State::Failed);
    const auto working = sweep.count(Sweep::State::Working);
    QString out = QCoreApplication::translate("JobTexts", "%1 of %2 finished")
                      .arg(sweep.count(Sweep::State::Finished))
                      .arg(sweep.runs.size());
    if (failed > 0) {
        out += QCoreApplication::translate("JobTexts", ", %1 failed").arg(failed);
    }
    if (working > 0) {
        out += QCoreApplication::translate("JobTexts", ", %1 running").arg(working);
    }
    return out;
}

QString stateText(const FollowedSweep& sweep) {
    if (sweep.problem) {
        return text(*sweep.problem);
    }
    QString out = whoText(sweep);
    if (sweep.sweep) {
        out = out.isEmpty()
                  ? countsText(sweep)
                  : QCoreApplication::translate("JobTexts", "%1: %2", "12 of 40 finished: stopping")
                        .arg(countsText(sweep), out);
    }
    const auto& trouble = sweep.trouble        ? sweep.trouble
                          : sweep.storeTrouble ? sweep.storeTrouble
                                               : sweep.slurmTrouble;
    return trouble ? QCoreApplication::translate("JobTexts", "%1. %2", "state, then an error")
                         .arg(out, text(*trouble))
                   : out;
}

QString text(Sweep::State state) {
    switch (state) {
    case Sweep::State::Waiting:
        return QCoreApplication::translate("JobTexts", "waiting");
    case Sweep::State::Working:
        return QCoreApplication::translate("JobTexts", "running");
    case Sweep::State::Finished:
        return QCoreApplication::translate("JobTexts", "finished");
    case Sweep::State::Failed:
        return QCoreApplication::translate("JobTexts", "failed");
    }
    return {};
}

QString resultText(const SweepRun& run) {
    if (run.error) {
        return text(*run.error);
    }
    const auto* metric = run.headline ? findMetric(run.headline->key) : nullptr;
    return metric == nullptr ? QString() : metricValue(*metric, *run.headline);
}

QString outcomeText(const Job& job) {
    switch (job.state) {
    case JobState::Queued:
    case JobState::Running:
    case JobState::Stopping:
    case JobState::Away:
        return {};
    case JobState::Finished: {
        if (job.kind == QLatin1String(jobs::kJobRun)) {
            return QCoreApplication::translate("JobTexts", "finished: #%1").arg(job.run);
        }
        const auto result = jobs::exportResultFromJson(job.result);
        return result.ok() && result->verified
                   ? QCoreApplication::translate("JobTexts",
                                                 "verified: read back, all tensors equal")
                   : QCoreApplication::translate("JobTexts", "finished");
    }
    case JobState::Failed:
        return job.error
                   ? QCoreApplication::translate("JobTexts", "failed: %1").arg(text(*job.error))
                   : QCoreApplication::translate("JobTexts", "failed");
    case JobState::Cancelled:
        return QCoreApplication::translate("JobTexts", "cancelled");
    case JobState::Interrupted:
        return QCoreApplication::translate("JobTexts", "interrupted; Retry runs it again");
    }
    return {};
}

QString exportFolder(const Job& job) {
    if (job.kind != QLatin1String(jobs::kJobExport) || job.state != JobState::Finished) {
        return {};
    }
    const auto result = jobs::exportResultFromJson(job.result);
    return result.ok() ? fromUtf8(result->path) : QString();
}

}  // namespace pareto::studio
