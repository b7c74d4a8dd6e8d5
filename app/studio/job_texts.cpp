#include "app/studio/job_texts.h"

#include <QCoreApplication>

#include "app/studio/job_queue.h"
#include "app/studio/texts.h"

namespace pareto::studio {

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
