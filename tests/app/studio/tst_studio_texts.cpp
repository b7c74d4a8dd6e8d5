#include <set>

#include <QFile>
#include <QLibraryInfo>
#include <QLocale>
#include <QProcess>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>
#include <QXmlStreamReader>

#include "app/studio/actions.h"
#include "app/studio/texts.h"

using namespace pareto;
using namespace pareto::studio;
using namespace Qt::StringLiterals;

namespace {

struct Entry {
    QString context;
    QString source;
    QStringList translations;
    bool finished = true;
};

std::vector<Entry> readTranslations(const QString& file) {
    std::vector<Entry> out;
    QFile in(file);
    if (!in.open(QIODevice::ReadOnly)) {
        return out;
    }
    QXmlStreamReader xml(&in);
    QString context;
    Entry entry;
    while (!xml.atEnd()) {
        xml.readNext();
        if (!xml.isStartElement()) {
            continue;
        }
        if (xml.name() == u"name"_s) {
            context = xml.readElementText();
        } else if (xml.name() == u"source"_s) {
            entry = {context, xml.readElementText(), {}, true};
        } else if (xml.name() == u"translation"_s) {
            entry.finished = !xml.attributes().hasAttribute(u"type"_s);
            QString plain;
            while (!(xml.isEndElement() && xml.name() == u"translation"_s)) {
                xml.readNext();
                if (xml.isStartElement() && xml.name() == u"numerusform"_s) {
                    entry.translations.append(xml.readElementText());
                } else if (xml.isCharacters()) {
                    plain += xml.text();
                }
            }
            if (entry.translations.isEmpty()) {
                entry.translations.append(plain);
            }
            out.push_back(entry);
        }
    }
    return out;
}

std::multiset<QString> placeholders(const QString& text) {
    static const QRegularExpression place(u"%L?[0-9n]|\\{[a-z]+\\}"_s);
    std::multiset<QString> out;
    auto found = place.globalMatch(text);
    while (found.hasNext()) {
        out.insert(found.next().captured());
    }
    return out;
}

}  // namespace

class TestStudioTexts : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void everyErrorHasItsSentence() {
        for (const auto code : allErrorCodes()) {
            const char* source = errorSource(code);
            QVERIFY2(source != nullptr, std::string(errorName(code)).c_str());
            QCOMPARE(std::string(source), std::string(errorTemplate(code)));
        }
    }

    void everyStageHasItsText() {
        for (int i = 0; i < kStageCount; ++i) {
            const auto stage = static_cast<Stage>(i);
            const char* source = stageSource(stage);
            QVERIFY2(source != nullptr, std::string(stageName(stage)).c_str());
            QCOMPARE(std::string(source), std::string(stageText(stage)));
        }
    }

    void valuesAreFilledIn() {
        const auto error = makeError(ErrorCode::FileTruncated,
                                     {{"file", "a.gguf"}, {"expected", "10"}, {"found", "4"}});
        QCOMPARE(text(error), u"a.gguf is cut short: 10 bytes expected, 4 found. Get it again."_s);
    }

    void chineseIsComplete() {
        const auto entries = readTranslations(
            QStringLiteral(PARETO_SOURCE_DIR "/translations/pareto_studio_zh_CN.ts"));
        QVERIFY(entries.size() > 500);
        for (const auto& entry : entries) {
            const QString where = entry.context + u": "_s + entry.source;
            QVERIFY2(entry.finished, qPrintable(where));
            for (const auto& translation : entry.translations) {
                QVERIFY2(!translation.trimmed().isEmpty() || entry.source.trimmed().isEmpty(),
                         qPrintable(where));
                QVERIFY2(placeholders(translation) == placeholders(entry.source),
                         qPrintable(where));
            }
        }
    }

    void everyActionIsTranslated() {
        const auto entries = readTranslations(
            QStringLiteral(PARETO_SOURCE_DIR "/translations/pareto_studio_zh_CN.ts"));
        std::set<QString> known;
        for (const auto& entry : entries) {
            if (entry.context == u"Actions"_s) {
                known.insert(entry.source);
            }
        }
        for (const auto& spec : Actions::table()) {
            if (spec.id[0] != '\0') {
                QVERIFY2(known.count(QString::fromUtf8(spec.text)) == 1, spec.text);
            }
        }
    }

    /// Sentences of the sources that lupdate would find but the file lacks.
    void errorsAndStagesAreInTheFile() {
        const auto entries = readTranslations(
            QStringLiteral(PARETO_SOURCE_DIR "/translations/pareto_studio_zh_CN.ts"));
        std::set<QString> known;
        for (const auto& entry : entries) {
            known.insert(entry.context + u'/' + entry.source);
        }
        for (const auto code : allErrorCodes()) {
            QVERIFY(known.count(u"Errors/"_s + QString::fromUtf8(errorSource(code))) == 1);
        }
        for (int i = 0; i < kStageCount; ++i) {
            QVERIFY(known.count(u"Stages/"_s +
                                QString::fromUtf8(stageSource(static_cast<Stage>(i)))) == 1);
        }
    }

    /// Every text of the sources is in the file: lupdate is asked what it finds now.
    void noTextIsMissing() {
        const QString lupdate = QLibraryInfo::path(QLibraryInfo::BinariesPath) + u"/lupdate"_s;
        if (!QFile::exists(lupdate)) {
            QSKIP("lupdate is not installed (qt6-l10n-tools)");
        }
        const QTemporaryDir folder;
        const QString fresh = folder.filePath(u"fresh.ts"_s);
        QProcess process;
        process.setWorkingDirectory(QStringLiteral(PARETO_SOURCE_DIR));
        process.start(lupdate, {u"-silent"_s, u"-locations"_s, u"none"_s, u"-I"_s, u"."_s,
                                u"app/studio"_s, u"widgets"_s, u"-ts"_s, fresh});
        QVERIFY(process.waitForFinished(60'000));
        const auto found = readTranslations(fresh);
        QVERIFY(found.size() > 500);
        std::set<QString> known;
        for (const auto& entry : readTranslations(
                 QStringLiteral(PARETO_SOURCE_DIR "/translations/pareto_studio_zh_CN.ts"))) {
            known.insert(entry.context + u'/' + entry.source);
        }
        QStringList missing;
        for (const auto& entry : found) {
            const QString key = entry.context + u'/' + entry.source;
            if (known.count(key) == 0) {
                missing.append(key);
            }
        }
        QVERIFY2(missing.isEmpty(), qPrintable(missing.join(u'\n')));
    }

    void shortcutsAreUnique() {
        std::set<QString> seen;
        for (const auto& spec : Actions::table()) {
            const QString keys = QString::fromLatin1(spec.shortcut);
            if (!keys.isEmpty()) {
                QVERIFY2(seen.insert(keys).second, spec.id);
            }
        }
        QVERIFY(seen.count(u"Ctrl+K"_s) == 0);  // kept free for a palette
    }
};

QTEST_MAIN(TestStudioTexts)
#include "tst_studio_texts.moc"
