#include "app/studio/dialogs/dialogs.h"

#include <algorithm>

#include <QAbstractButton>
#include <QClipboard>
#include <QCoreApplication>
#include <QFileDialog>
#include <QFileInfo>
#include <QGuiApplication>
#include <QMessageBox>
#include <QPushButton>

#include "app/studio/texts.h"

namespace pareto::studio {

using namespace Qt::StringLiterals;

void WindowDialogs::show(QDialog* dialog) {
    if (dialog->parentWidget() == nullptr) {
        dialog->setParent(&m_window, dialog->windowFlags());
    }
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->open();
}

void WindowDialogs::chooseFile(const FileRequest& request,
                               std::function<void(const QString&)> chosen) {
    auto* dialog = new QFileDialog(&m_window, request.title);
    dialog->setObjectName(request.id);
    const auto known = std::find_if(m_folders.begin(), m_folders.end(),
                                    [&](const auto& entry) { return entry.first == request.id; });
    if (known != m_folders.end()) {
        dialog->setDirectory(known->second);
    } else if (!request.folder.isEmpty()) {
        dialog->setDirectory(request.folder);
    }
    if (!request.filters.isEmpty()) {
        dialog->setNameFilters(request.filters);
    }
    switch (request.kind) {
    case FileRequest::Kind::OpenFile:
        dialog->setFileMode(QFileDialog::ExistingFile);
        break;
    case FileRequest::Kind::OpenFolder:
        dialog->setFileMode(QFileDialog::Directory);
        dialog->setOption(QFileDialog::ShowDirsOnly);
        break;
    case FileRequest::Kind::SaveFile:
        dialog->setAcceptMode(QFileDialog::AcceptSave);
        dialog->setDefaultSuffix(request.suffix);
        dialog->selectFile(request.name);
        break;
    }
    QObject::connect(dialog, &QFileDialog::fileSelected, &m_window,
                     [this, id = request.id, chosen = std::move(chosen)](const QString& path) {
                         const QFileInfo info(path);
                         std::erase_if(m_folders,
                                       [&](const auto& entry) { return entry.first == id; });
                         m_folders.emplace_back(id, info.isDir() ? path : info.absolutePath());
                         chosen(path);
                     });
    show(dialog);
}

void WindowDialogs::ask(const Question& question, std::function<void()> accepted) {
    auto* box = new QMessageBox(QMessageBox::Question, question.title, question.text,
                                QMessageBox::NoButton, &m_window);
    box->setObjectName(question.id);
    box->setTextFormat(Qt::PlainText);
    auto* go = box->addButton(question.accept, QMessageBox::AcceptRole);
    go->setObjectName(question.id + u"AcceptButton"_s);
    auto* stay = box->addButton(question.reject, QMessageBox::RejectRole);
    stay->setObjectName(question.id + u"RejectButton"_s);
    box->setDefaultButton(stay);
    QObject::connect(box, &QMessageBox::buttonClicked, &m_window,
                     [go, accepted = std::move(accepted)](QAbstractButton* clicked) {
                         if (clicked == go) {
                             accepted();
                         }
                     });
    show(box);
}

void WindowDialogs::tell(const QString& title, const Error& error) {
    auto* box =
        new QMessageBox(QMessageBox::Warning, title, text(error), QMessageBox::Close, &m_window);
    box->setObjectName(u"errorBox"_s);
    box->setTextFormat(Qt::PlainText);
    auto* copy = box->addButton(QCoreApplication::translate("Dialogs", "Copy details"),
                                QMessageBox::ActionRole);
    copy->setObjectName(u"errorCopyButton"_s);
    copy->disconnect();  // it copies and leaves the box open
    QObject::connect(copy, &QPushButton::clicked, box,
                     [error] { QGuiApplication::clipboard()->setText(technicalText(error)); });
    show(box);
}

}  // namespace pareto::studio
