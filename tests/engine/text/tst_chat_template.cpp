#include "engine/text/chat_template.h"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

#include "engine/core/json.h"
#include "tests/engine/io/fixtures.h"

using namespace pareto;
using namespace pareto::fixtures;
using OrderedJson = nlohmann::ordered_json;

namespace {

const std::string kGolden = PARETO_SOURCE_DIR "/tests/golden/text/";

std::string fileText(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream out;
    out << file.rdbuf();
    return out.str();
}

/// The template written out for a conversation of one, or what is wrong.
std::string written(const std::string& source) {
    const auto made = text::ChatTemplate::parse(source, "t");
    if (!made.ok()) {
        return errorMessage(made.error());
    }
    const auto out = made.value()->apply(OrderedJson::array({{{"role", "user"}, {"content", "Hi"}}}), {});
    return out.ok() ? out.value() : errorMessage(out.error());
}

}  // namespace

class TestChatTemplate : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void published_data();
    void published();
    void language_data();
    void language();
    void refused_data();
    void refused();
    void bounded_data();
    void bounded();
    void sources();
};

void TestChatTemplate::initTestCase() {
    qputenv("TZ", "UTC");
    ::tzset();
}

void TestChatTemplate::published_data() {
    QTest::addColumn<QString>("name");
    for (const auto& entry : std::filesystem::directory_iterator(kGolden + "chat")) {
        QTest::newRow(entry.path().stem().c_str()) << QString::fromStdString(entry.path().stem());
    }
}

/// What transformers makes of templates as their models publish them.
void TestChatTemplate::published() {
    QFETCH(QString, name);
    const auto golden = OrderedJson::parse(fileText(kGolden + "chat.json"));
    const auto made = text::ChatTemplate::parse(fileText(kGolden + "chat/" + name.toStdString() + ".jinja"),
                                                name.toStdString(), golden["tokens"]);
    QVERIFY2(made.ok(), describe(made).c_str());
    const auto& prompts = golden["prompts"][name.toStdString()];
    QCOMPARE(prompts.size(), golden["cases"].size());
    for (std::size_t i = 0; i < prompts.size(); ++i) {
        const auto& one = golden["cases"][i];
        text::ChatOptions options;
        options.addGenerationPrompt = one["generation"].get<bool>();
        options.tools = one.value("tools", OrderedJson());
        options.variables = one.value("variables", OrderedJson::object());
        options.now = golden["now"].get<std::time_t>();
        const auto out = made.value()->apply(one["messages"], options);
        const auto what = one["name"].get<std::string>();
        if (prompts[i].is_null()) {
            QVERIFY2(!out.ok(), what.c_str());
            QCOMPARE(out.error().code, ErrorCode::TokenizerInvalid);
        } else {
            QVERIFY2(out.ok(), (what + ": " + describe(out)).c_str());
            QCOMPARE(out.value(), prompts[i].get<std::string>());
        }
    }
}

void TestChatTemplate::language_data() {
    QTest::addColumn<QString>("source");
    QTest::addColumn<QString>("output");
    const auto row = [](const char* source, const char* output) {
        QTest::newRow(source) << QString::fromUtf8(source) << QString::fromUtf8(output);
    };
    // What Python and jinja2 3.1 give (checked with tests/golden/text/make_chat.py's environment).
    row("{{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 2 ** 10 }}", "3 -4 2 3.5 1024");
    row("{{ 1.0 }} {{ 1e20 }} {{ 0.1 + 0.2 }} {{ 1e-7 }}", "1.0 1e+20 0.30000000000000004 1e-07");
    row("{{ 'a' ~ 1 ~ true ~ none }}", "a1TrueNone");
    row("{{ [1, 'a', none, {'k': 'v\\'s'}] }}", "[1, 'a', None, {'k': \"v's\"}]");
    row("{{ 'abcé'[::-1] }}{{ 'abc'[-2:] }}{{ [1,2,3][1:][0] }}", "écbabc2");
    row("{{ 1 < 2 < 3 }} {{ 1 in [1] and 'k' in {'k': 1} and 'a' not in 'bc' }}", "True True");
    row("{% for x in [1,2,3] if x > 1 %}{{ loop.index }}{{ x }}{{ ',' if not loop.last }}{% else %}no{% endfor %}", "12,23");
    row("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}", "a1b2");
    row("{% for x in [] %}x{% else %}none{% endfor %}", "none");
    row("{% for x in 'ab' %}{{ loop.previtem is defined }}{{ loop.nextitem|default('-') }}{% endfor %}", "FalsebTrue-");
    row("{% set x = 1 %}{% for i in [1] %}{% set x = 2 %}{% endfor %}{{ x }}", "1");
    row("{% set ns = namespace(x=1) %}{% for i in [1] %}{% set ns.x = 2 %}{% endfor %}{{ ns.x }}", "2");
    row("{% macro m(a, b='x') %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(1, b=2) }}", "1x12");
    row("{% set a %}b{{ 1 }}{% endset %}{{ a|upper }}", "B1");
    row("{{ messages|selectattr('role', 'equalto', 'user')|map(attribute='content')|list }}", "['Hi']");
    row("{{ {'b': 1, 'a': [true, none, 1.5, 'é\"']}|tojson }}", "{\"b\": 1, \"a\": [true, null, 1.5, \"é\\\"\"]}");
    row("{{ {'b': [1]}|tojson(indent=2) }}", "{\n  \"b\": [\n    1\n  ]\n}");
    row("{{ ' a b '|trim }}|{{ 'a,b'.split(',')|join('-') }}|{{ 'xay'.replace('a', 'b') }}", "a b|a-b|xby");
    row("{{ 'abc'.startswith('ab') }} {{ 'Hello world'.title() }} {{ 'a b  c'.split() }}", "True Hello World ['a', 'b', 'c']");
    row("{{ missing }}{{ missing|default('d') }}{{ missing is defined }}{{ none is none }}", "dFalseTrue");
    row("a\n{% if true %}\nb\n{% endif %}\nc\n", "a\nb\nc");
    row("  {% if true %}x{% endif %}  {# no #}\ny", "x  y");
    row("a {%- if true -%} b {%- endif %} c", "ab c");
    row("{%+ if true %}x{% endif %}", "x");
    row("{% generation %}{{ 'a' 'b' }}{% endgeneration %}", "ab");
    row("{% for i in range(5) %}{% if i == 1 %}{% continue %}{% elif i == 3 %}{% break %}{% endif %}{{ i }}{% endfor %}", "02");
    row("{{ not true or false }}{{ 1 if false }}{{ (1, 2)|last }}{{ [3,1,2]|sort|first }}", "False21");
    row("{{ '%' ~ \"\\n\\u00e9\" }}{{ 3 is odd }}{{ 4 is divisibleby 2 }}", "%\néTrueTrue");
    row("{{ strftime_now('%Y') is string }}", "True");
}

void TestChatTemplate::language() {
    QFETCH(QString, source);
    QFETCH(QString, output);
    QCOMPARE(QString::fromStdString(written(source.toStdString())), output);
}

void TestChatTemplate::refused_data() {
    QTest::addColumn<QString>("source");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* source, const char* says) {
        QTest::newRow(source) << QString::fromUtf8(source) << QString::fromUtf8(says);
    };
    row("a\n{{ 1", "line 2: a {{ is not closed");
    row("{% if 1 %}\nx", "line 1: {% if %} is not closed by {% endif %}");
    row("{% endfor %}", "\"endfor\" closes nothing");
    row("{% include 'x' %}", "{% include %} is not supported");
    row("\n\n{% import 'os' as os %}", "line 3: {% import %} is not supported");
    row("{% raw %}{% endraw %}", "{% raw %} is not supported");
    row("{{ 1 + }}", "a value is wanted, not }}");
    row("{{ 'a }}", "quotes is not closed");
    row("{{ a ! b }}", "the sign !");
    row("{# x", "comment");
    row("{{ x|nosuch }}", "the filter \"nosuch\" is not known");
    row("{{ x is nosuch }}", "the test \"nosuch\" is not known");
    row("{{ nosuch() }}", "\"nosuch\" is not defined");
    row("{{ x.y }}", "\"x\" is not defined");
    row("{{ [1].append(2) }}", "no method \"append\"");
    row("{{ ''.__class__.__mro__ }}", "not defined");
    row("{{ 1 / 0 }}", "divided by 0");
    row("{{ 9223372036854775807 + 1 }}", "too large");
    row("{{ 'a' + 1 }}", "cannot do a text + a whole number");
    row("{{ 1 < 'a' }}", "cannot compare");
    row("{% set x.y = 1 %}", "namespace");
    row("{% for a, b in [[1]] %}{% endfor %}", "1 values for 2 names");
    row("{{ raise_exception('Roles must alternate!') }}", "line 1: Roles must alternate!");
}

void TestChatTemplate::refused() {
    QFETCH(QString, source);
    QFETCH(QString, says);
    const auto out = written(source.toStdString());
    QVERIFY2(out.find(says.toStdString()) != std::string::npos, out.c_str());
    QVERIFY(out.starts_with("t: "));
}

void TestChatTemplate::bounded_data() {
    QTest::addColumn<QByteArray>("source");
    const auto row = [](const char* name, const std::string& source) {
        QTest::newRow(name) << QByteArray::fromStdString(source);
    };
    const auto repeated = [](const char* part, int times) {
        std::string out;
        for (int i = 0; i < times; ++i) {
            out += part;
        }
        return out;
    };
    row("steps", "{% for a in range(100000) %}{% for b in range(100000) %}{% endfor %}{% endfor %}");
    row("text", "{% set ns = namespace(x='aaaaaaaa') %}{% for i in range(99) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}");
    row("texts", "{% set x = 'a' * 1000000 %}{% set l = namespace(x=[]) %}{% for i in range(9999) %}{% set l.x = l.x + [x ~ i] %}{% endfor %}");
    row("repeat", "{{ 'abc' * 1000000000 }}");
    row("output", "{% set x = 'a' * 100000 %}{% for i in range(1000) %}{{ x }}{% endfor %}");
    row("recursion", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}");
    row("nested lists", "{% set ns = namespace(x=[]) %}{% for i in range(1000) %}{% set ns.x = [ns.x] %}{% endfor %}");
    row("range", "{{ range(1000000000) }}");
    row("brackets", "{{ " + std::string(100000, '(') + "1" + std::string(100000, ')') + " }}");
    row("lists", "{{ " + std::string(100000, '[') + " }}");
    row("nots", "{{ " + repeated("not ", 100000) + "1 }}");
    row("sum", "{{ 1" + repeated(" + 1", 100000) + " }}");
    row("dots", "{{ messages" + repeated(".a", 100000) + " }}");
    row("filters", "{{ 1" + repeated("|string", 100000) + " }}");
    row("ifs", repeated("{% if 1 %}", 100000));
    row("elifs", "{% if 1 %}" + repeated("{% elif 1 %}", 100000) + "{% endif %}");
    row("replace", "{% set x = 'a' * 4000000 %}{{ x|replace('a', 'bbbbbbbb') }}");
    row("size", std::string(2 << 20, 'a'));
}

void TestChatTemplate::bounded() {
    QFETCH(QByteArray, source);
    QElapsedTimer timer;
    timer.start();
    const auto made = text::ChatTemplate::parse(source.toStdString(), "t");
    const auto out = made.ok() ? made.value()->apply(OrderedJson::array(), {}) : made.failure<std::string>();
    QVERIFY2(!out.ok(), "accepted");
    QCOMPARE(out.error().code, ErrorCode::TokenizerInvalid);
    QVERIFY2(timer.elapsed() < 10'000, std::to_string(timer.elapsed()).c_str());
}

void TestChatTemplate::sources() {
    QTemporaryDir folder;
    const auto path = folder.path().toStdString();
    writeBytes(path + "/config.json", "{}");
    writeBytes(path + "/model.safetensors", validSafetensors());
    const auto files = io::ModelFiles::open(path).value();
    const std::vector<text::ChatMessage> messages{{"user", "Hi"}};
    QVERIFY(!text::hasChatTemplate(*files));
    QVERIFY(text::loadChatTemplate(*files).value() == nullptr);
    QCOMPARE(text::applyChatTemplate(*files, messages).value(),
             std::string("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"));
    writeBytes(path + "/tokenizer_config.json",
               R"({"bos_token":{"content":"<s>"},"chat_template":"{{ bos_token }}{{ messages[0].content }}"})");
    QVERIFY(text::hasChatTemplate(*files));
    QCOMPARE(text::applyChatTemplate(*files, messages).value(), std::string("<s>Hi"));
    writeBytes(path + "/tokenizer_config.json",
               R"({"chat_template":[{"name":"tool_use","template":"tools"},{"name":"default","template":"usual"}]})");
    QCOMPARE(text::applyChatTemplate(*files, messages).value(), std::string("usual"));
    text::ChatOptions options;
    options.tools = OrderedJson::array({1});
    QCOMPARE(text::applyChatTemplate(*files, messages, options).value(), std::string("tools"));
    writeBytes(path + "/chat_template.jinja", "\n{{ 1 | }}");
    const auto bad = text::applyChatTemplate(*files, messages);
    QCOMPARE(bad.error().code, ErrorCode::TokenizerInvalid);
    QVERIFY(bad.error().args.at("file").ends_with("chat_template.jinja"));
    QVERIFY(bad.error().args.at("reason").starts_with("its chat template, line 2: "));
}

QTEST_GUILESS_MAIN(TestChatTemplate)
#include "tst_chat_template.moc"
