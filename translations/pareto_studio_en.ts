<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="en_US" sourcelanguage="en_US">
    <context>
        <name>Playground</name>
        <message numerus="yes">
            <source>%n word(s) have another tag.</source>
            <translation>
                <numerusform>%n word has another tag.</numerusform>
                <numerusform>%n words have another tag.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n text(s) differ.</source>
            <translation>
                <numerusform>%n text differs.</numerusform>
                <numerusform>%n texts differ.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>Texts</name>
        <message numerus="yes">
            <source>%n layer(s)</source>
            <translation>
                <numerusform>%n layer</numerusform>
                <numerusform>%n layers</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n sample(s)</source>
            <translation>
                <numerusform>%n sample</numerusform>
                <numerusform>%n samples</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n token(s)</source>
            <translation>
                <numerusform>%n token</numerusform>
                <numerusform>%n tokens</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pass(es)</source>
            <translation>
                <numerusform>%n pass</numerusform>
                <numerusform>%n passes</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n thread(s)</source>
            <translation>
                <numerusform>%n thread</numerusform>
                <numerusform>%n threads</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ComparePage</name>
        <message numerus="yes">
            <source>%Ln run(s)</source>
            <translation>
                <numerusform>%Ln run</numerusform>
                <numerusform>%Ln runs</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::DataPage</name>
        <message numerus="yes">
            <source>The first %n row(s)</source>
            <translation>
                <numerusform>The first row</numerusform>
                <numerusform>The first %n rows</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::GridDialog</name>
        <message numerus="yes">
            <source>%n run(s) will be queued</source>
            <translation>
                <numerusform>%n run will be queued</numerusform>
                <numerusform>%n runs will be queued</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n run(s) will be a sweep</source>
            <translation>
                <numerusform>%n run will be a sweep</numerusform>
                <numerusform>%n runs will be a sweep</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ItemsPage</name>
        <message numerus="yes">
            <source>%n item(s)</source>
            <translation>
                <numerusform>%n item</numerusform>
                <numerusform>%n items</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::MainWindow</name>
        <message numerus="yes">
            <source>%n job(s) have not ended.</source>
            <translation>
                <numerusform>%n job has not ended.</numerusform>
                <numerusform>%n jobs have not ended.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ParetoPage</name>
        <message numerus="yes">
            <source>%1 of %Ln run(s)</source>
            <translation>
                <numerusform>%1 of %Ln run</numerusform>
                <numerusform>%1 of %Ln runs</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln not comparable ▸</source>
            <translation>
                <numerusform>%Ln not comparable ▸</numerusform>
                <numerusform>%Ln not comparable ▸</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln run(s) not comparable: list them</source>
            <translation>
                <numerusform>%Ln run not comparable: list them</numerusform>
                <numerusform>%Ln runs not comparable: list them</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>and %Ln more</source>
            <translation>
                <numerusform>and %Ln more</numerusform>
                <numerusform>and %Ln more</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::PropertiesDialog</name>
        <message numerus="yes">
            <source>%n file(s), %1</source>
            <translation>
                <numerusform>%n file, %1</numerusform>
                <numerusform>%n files, %1</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1: %n layer(s)</source>
            <translation>
                <numerusform>%1: %n layer</numerusform>
                <numerusform>%1: %n layers</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::RecipeCommands</name>
        <message numerus="yes">
            <source>%n override(s) match no layer here</source>
            <translation>
                <numerusform>%n override matches no layer here</numerusform>
                <numerusform>%n overrides match no layer here</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::RecipeDocument</name>
        <message numerus="yes">
            <source>ratio of %n group(s)</source>
            <translation>
                <numerusform>ratio of %n group</numerusform>
                <numerusform>ratio of %n groups</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>sparsity of %n layer(s)</source>
            <translation>
                <numerusform>sparsity of %n layer</numerusform>
                <numerusform>sparsity of %n layers</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>bits of %n layer(s)</source>
            <translation>
                <numerusform>bits of %n layer</numerusform>
                <numerusform>bits of %n layers</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>removal of %n block(s)</source>
            <translation>
                <numerusform>removal of %n block</numerusform>
                <numerusform>removal of %n blocks</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>return of %n block(s)</source>
            <translation>
                <numerusform>return of %n block</numerusform>
                <numerusform>return of %n blocks</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::RecipePane</name>
        <message numerus="yes">
            <source>%n override(s) match no layer here</source>
            <translation>
                <numerusform>%n override matches no layer here</numerusform>
                <numerusform>%n overrides match no layer here</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::RunsPane</name>
        <message numerus="yes">
            <source>Remove %Ln deleted run(s) for ever? This cannot be undone.</source>
            <translation>
                <numerusform>Remove %Ln deleted run for ever? This cannot be undone.</numerusform>
                <numerusform>Remove %Ln deleted runs for ever? This cannot be undone.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>Deleted %Ln run(s)</source>
            <translation>
                <numerusform>Deleted %Ln run</numerusform>
                <numerusform>Deleted %Ln runs</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::StatusLine</name>
        <message numerus="yes">
            <source>%n run(s)</source>
            <translation>
                <numerusform>%n run</numerusform>
                <numerusform>%n runs</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::TaskCatalogue</name>
        <message numerus="yes">
            <source>%n row(s)</source>
            <translation>
                <numerusform>%n row</numerusform>
                <numerusform>%n rows</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::WorkerClient</name>
        <message numerus="yes">
            <source>it did not answer within %n second(s)</source>
            <translation>
                <numerusform>it did not answer within %n second</numerusform>
                <numerusform>it did not answer within %n seconds</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::CompareModel</name>
        <message numerus="yes">
            <source>%1: %2, from %Ln value(s)</source>
            <translation>
                <numerusform>%1: %2, from %Ln value</numerusform>
                <numerusform>%1: %2, from %Ln values</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::HistogramPlot</name>
        <message numerus="yes">
            <source>%Ln value(s) hidden that are no numbers</source>
            <translation>
                <numerusform>%Ln value hidden that is no number</numerusform>
                <numerusform>%Ln values hidden that are no numbers</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::ParetoPlot</name>
        <message numerus="yes">
            <source>%Ln run(s) hidden</source>
            <translation>
                <numerusform>%Ln run hidden</numerusform>
                <numerusform>%Ln runs hidden</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1 against %2: %Ln run(s), </source>
            <translation>
                <numerusform>%1 against %2: %Ln run, </numerusform>
                <numerusform>%1 against %2: %Ln runs, </numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln on the front. The table view has the values.</source>
            <translation>
                <numerusform>%Ln on the front. The table view has the values.</numerusform>
                <numerusform>%Ln on the front. The table view has the values.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln arrow(s) lead to recovered runs.</source>
            <translation>
                <numerusform>%Ln arrow leads to a recovered run.</numerusform>
                <numerusform>%Ln arrows lead to recovered runs.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::RooflinePlot</name>
        <message numerus="yes">
            <source>%Ln layer(s)</source>
            <translation>
                <numerusform>%Ln layer</numerusform>
                <numerusform>%Ln layers</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::DistilPairsPanel</name>
        <message numerus="yes">
            <source>%n pair(s) name blocks that are not there.</source>
            <translation>
                <numerusform>%n pair names blocks that are not there.</numerusform>
                <numerusform>%n pairs name blocks that are not there.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pair(s) chosen by hand.</source>
            <translation>
                <numerusform>%n pair chosen by hand.</numerusform>
                <numerusform>%n pairs chosen by hand.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::RecoverForm</name>
        <message numerus="yes">
            <source>The first of %n recovery step(s) of the recipe is shown.</source>
            <translation>
                <numerusform>The only recovery step of the recipe (%n) is shown.</numerusform>
                <numerusform>The first of %n recovery steps of the recipe is shown.</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::TrainingPage</name>
        <message numerus="yes">
            <source>%Ln example(s)</source>
            <translation>
                <numerusform>%Ln example</numerusform>
                <numerusform>%Ln examples</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::TrainingPlot</name>
        <message numerus="yes">
            <source>%Ln step(s)</source>
            <translation>
                <numerusform>%Ln step</numerusform>
                <numerusform>%Ln steps</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln validation(s)</source>
            <translation>
                <numerusform>%Ln validation</numerusform>
                <numerusform>%Ln validations</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>ProjectTexts</name>
        <message numerus="yes">
            <source>%Ln duplicate(s)</source>
            <translation>
                <numerusform>%Ln duplicate</numerusform>
                <numerusform>%Ln duplicates</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) with contradicting labels</source>
            <translation>
                <numerusform>%Ln row with a contradicting label</numerusform>
                <numerusform>%Ln rows with contradicting labels</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) without text</source>
            <translation>
                <numerusform>%Ln row without text</numerusform>
                <numerusform>%Ln rows without text</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) without label</source>
            <translation>
                <numerusform>%Ln row without label</numerusform>
                <numerusform>%Ln rows without label</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln copy(s) in another split</source>
            <translation>
                <numerusform>%Ln copy in another split</numerusform>
                <numerusform>%Ln copies in another split</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>The class %1 has %Ln row(s) to learn from.</source>
            <translation>
                <numerusform>The class %1 has %Ln row to learn from.</numerusform>
                <numerusform>The class %1 has %Ln rows to learn from.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) of validation and test have a copy in another split: accuracies are too good.</source>
            <translation>
                <numerusform>%Ln row of validation and test has a copy in another split: accuracies are too good.</numerusform>
                <numerusform>%Ln rows of validation and test have a copy in another split: accuracies are too good.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) were left out because they are (nearly) those of a later split, which came with the data.</source>
            <translation>
                <numerusform>%Ln row was left out because it is (nearly) one of a later split, which came with the data.</numerusform>
                <numerusform>%Ln rows were left out because they are (nearly) those of a later split, which came with the data.</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) read</source>
            <translation>
                <numerusform>%Ln row read</numerusform>
                <numerusform>%Ln rows read</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln class(es)</source>
            <translation>
                <numerusform>%Ln class</numerusform>
                <numerusform>%Ln classes</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) are copies or near copies of others</source>
            <translation>
                <numerusform>%Ln row is a copy or near copy of another</numerusform>
                <numerusform>%Ln rows are copies or near copies of others</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln of them go to training</source>
            <translation>
                <numerusform>%Ln of them goes to training</numerusform>
                <numerusform>%Ln of them go to training</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln leak(s) into another split</source>
            <translation>
                <numerusform>%Ln leak into another split</numerusform>
                <numerusform>%Ln leaks into another split</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::ConfusionModel</name>
        <message numerus="yes">
            <source>%1: %Ln row(s) of this class</source>
            <translation>
                <numerusform>%1: %Ln row of this class</numerusform>
                <numerusform>%1: %Ln rows of this class</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1: %Ln row(s) predicted as this class</source>
            <translation>
                <numerusform>%1: %Ln row predicted as this class</numerusform>
                <numerusform>%1: %Ln rows predicted as this class</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ScalingPage</name>
        <message numerus="yes">
            <source>%Ln replica(s)</source>
            <translation>
                <numerusform>%Ln replica</numerusform>
                <numerusform>%Ln replicas</numerusform>
            </translation>
        </message>
    </context>
</TS>
