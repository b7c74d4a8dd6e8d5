<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN">
<context>
    <name>AboutDialog</name>
    <message>
        <source>About Pareto Studio</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Optimizes transformer models for fast inference and shows what that costs and gains.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>libtorch: known once the worker has started</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Free software under the GNU General Public License, version 3 or later.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Actions</name>
    <message>
        <source>&amp;New Window</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Open Model…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open &amp;Recent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Hugging Face Cache</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open Re&amp;cipe…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Save Recipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save Recipe &amp;As…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Export Model…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save &amp;Plot…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Copy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Paste</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Select &amp;All</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Filter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pre&amp;ferences…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Properties…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Reload</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Close</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Presets</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reset &amp;Selected Layers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reset &amp;All</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Validate</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measure &amp;Baseline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Run All Pre&amp;sets</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Run a &amp;Grid…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>S&amp;top</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Hold Queue</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Pin as Baseline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Compare Selected</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Use This Recipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>R&amp;e-run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Delete</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy as Command &amp;Line</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Pages</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>P&amp;anes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Theme</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Language</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Reset Layout</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Shortcuts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open Sa&amp;mple</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Log Folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;About Pareto Studio</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Application</name>
    <message>
        <source>The settings could not be read; the defaults hold. The old file is kept as .bak.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no sample named %1 on this machine; ./dev setup fetches them.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>BarPlot</name>
    <message>
        <source>Time per layer</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>CompareModel</name>
    <message>
        <source>not significant</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>significantly better</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>significantly worse</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Task</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipe: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Task: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Target: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Seed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Not measured</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%1: %2, from %Ln value(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Compared item by item with the baseline (paired bootstrap, 95 %)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Significant when the 95 % intervals do not overlap</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Machine</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CPU</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cores</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Memory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Operating system</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CPU governor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CPU features</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Devices</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Other load while timing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>yes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>none noticed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Version: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1: no difference</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measurements</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Environment</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>#%1 %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 (baseline)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ComparePage</name>
    <message>
        <source>Comparison of runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show only differing settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose two runs in Runs, then Ctrl+D.</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%Ln run(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Not comparable: task, target or machine differ</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>DetailsPane</name>
    <message>
        <source>Details of the current run and layer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer times</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer times of #%1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Latencies</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Weights of layer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This run has no timings.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This run has no times per layer.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a layer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 · %2 × %3</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The file is read when the timing has ended.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reading the file…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>After: run first, or choose a run.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>After: run #%1 has no histogram of this layer.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Dialogs</name>
    <message>
        <source>Copy details</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Errors</name>
    <message>
        <source>The engine stopped with an error in {where}: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The exported file {file} was read back and differs: tensor {tensor}, {reason}. Nothing was put in place.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no job named {job}; this worker knows: {known}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run store {file} is in use by another program; it did not become free within {seconds} s.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run store {file} reported an error: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The worker ended unexpectedly ({reason}). The job can be retried.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The worker sent something that is not understood: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The worker {program} could not be started: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{what} is missing. See: {help}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{what} is not known. See: {help}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}: {field} {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} has no column named {column}; it has: {known}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} holds no usable rows for split {split}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}, line {line}: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The device {device} cannot be used: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}: the architecture {family} is not known. Known are: {known}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}, offset {offset}: {reason}. The file is damaged or not what its name says; get it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} is not a model that can be opened: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} does not exist.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} is cut short: {expected} bytes expected, {found} found. Get it again.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} cannot be read: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} is refused: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} cannot be written: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}, offset {offset}: not valid JSON: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No layer, group or block is named {layer}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The recipe cannot be used: {field} {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is no run {run} in {file}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} is not a Pareto Studio store: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file} was written by a newer Pareto Studio (version {found}, this program knows {known}). Update the program; the file was not touched.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The target cannot be used: {field} {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The task cannot be used: {field} {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The task {task} does not fit the model {model}: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}: the tensor {tensor} is missing.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}: the tensor {tensor} has shape {found}, expected {expected}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}: the tensor {tensor} has type {found}, which cannot be used here ({reason}).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}: the tensor {tensor} has {count} values that are not finite; {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}: the tokenizer cannot be used: {reason}.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>{file}: no tokenizer was found (looked for {known}).</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is not enough space for {file}: {needed} bytes needed, {free} free.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>There is not enough memory for {what}: about {needed} bytes needed, {free} free.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ExportDialog</name>
    <message>
        <source>Export %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Format</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hugging Face folder (safetensors)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder to create</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>What the format cannot say</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This recipe has not been measured: the report holds no figures.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing is lost in this format.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Notes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Folder in which the model is put</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Say which folder to create.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 does not exist or cannot be written.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 exists and is not empty.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>FileCommands</name>
    <message>
        <source>%1 could not be opened</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 is not there any more</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>none yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>none here; ./dev setup fetches them</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no models found</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a model: a folder, or its .gguf or .safetensors file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Models (*.gguf *.safetensors config.json modules.json)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a recipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipes (*.json)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The recipe could not be saved</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save the recipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Export %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The run cannot be exported</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Save the plot</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Image (*.png)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Vector graphics (*.svg)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>PDF (*.pdf)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Table (*.csv)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The plot could not be saved</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>open a model first</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>FormatChooser</name>
    <message>
        <source>as in the file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>tensor</source>
        <comment>what a scale covers</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>channel</source>
        <comment>what a scale covers</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1: what a scale covers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How many input columns share a scale</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>group %1</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>GridDialog</name>
    <message>
        <source>Run a grid</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ratios in per cent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Per cent, separated by blanks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Heads</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Neurons</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Single weights</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>as in the file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Ratios, %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>of</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Enter ratios from 0 to 99 and choose at least one format.</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n run(s) will be queued</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
</context>
<context>
    <name>HelpDialog</name>
    <message>
        <source>Help</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&lt;h3&gt;Five steps&lt;/h3&gt;&lt;ol&gt;&lt;li&gt;&lt;b&gt;Open&lt;/b&gt; a model: a Hugging Face folder or a .gguf file.&lt;/li&gt;&lt;li&gt;Choose a &lt;b&gt;preset&lt;/b&gt; or set the knobs in &lt;b&gt;Recipe&lt;/b&gt;. In &lt;b&gt;Layers&lt;/b&gt; single blocks, groups and layers can differ; such cells are bold. The size is exact and follows every edit.&lt;/li&gt;&lt;li&gt;&lt;b&gt;Run&lt;/b&gt; (F5) measures the untouched model first, where no baseline is stored, then the recipe: latency, accuracy and memory, each with its interval.&lt;/li&gt;&lt;li&gt;Every run is a point in &lt;b&gt;Pareto&lt;/b&gt;. Click it to see it in Runs, Layers and Details, double click it to compare it with the baseline.&lt;/li&gt;&lt;li&gt;&lt;b&gt;Export&lt;/b&gt; writes the optimized model, reads it back and compares every tensor.&lt;/li&gt;&lt;/ol&gt;&lt;h3&gt;What is compared&lt;/h3&gt;&lt;p&gt;Only runs with the same task, data and target on the same machine. The number of hidden runs is always shown above the plot.&lt;/p&gt;</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>HistogramPlot</name>
    <message>
        <source>Histogram of the weights</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Zeros: %1 before, %2 after</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Zeros: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Zeros: %1 after</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%Ln value(s) hidden that are no numbers</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Value</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Count</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>after</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>before</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Weights</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>JobQueue</name>
    <message>
        <source>The worker failed three times in a row, so the queue is held.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>JobsPane</name>
    <message>
        <source>Jobs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No jobs. F5 runs the recipe.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Force stop</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Retry</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Log</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Hold queue</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>held</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>waiting</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>running, no sign of life</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>running</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>stopping</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>finished: #%1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>verified: read back, all tensors equal</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>finished</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>failed: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>cancelled</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>interrupted; Retry runs it again</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>JobsTableModel</name>
    <message>
        <source>%1 %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Job</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>State</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stage</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Progress</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time left</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>LatencyPlot</name>
    <message>
        <source>Distribution of latencies</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Latency, ms</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Passes no slower, %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>baseline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>this run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 to %2 ms</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>LayerTimesModel</name>
    <message>
        <source>%1: %2 ms, %3 of the pass, %4</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1: not in this run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>ms</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Baseline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Δ</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>LayerTreeModel</name>
    <message>
        <source> tensor</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Block %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Attention</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Feed-forward</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>removed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 heads</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 neurons</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 %</source>
        <comment>percent</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>mixed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>in the file: %1×%2, %3</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>shares the weight of %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>differs from the whole model; Ctrl+Backspace resets it</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Groups: share of heads or neurons to remove. Layers: share of weights set to zero.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How the weight is held</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bytes held, weight and bias</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Milliseconds in the current run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layer</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Shape</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Prune</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>ms</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>LayersDelegate</name>
    <message>
        <source>Share to remove, in per cent</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>How the weight is held</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>LayersPane</name>
    <message>
        <source>Filter of the layers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>filter: name or /regex/</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>group by block</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Open a model to see its layers.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This is no regular expression yet.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>paste</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>LogDialog</name>
    <message>
        <source>Log</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Log of %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The worker wrote nothing.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MainWindow</name>
    <message>
        <source>Close</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close the notice</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pages</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pareto</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Compare</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Layers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Jobs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Details</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;File</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Edit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Re&amp;cipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;View</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Help</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Main toolbar</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Task</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Target</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no recipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Jobs %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quit</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n job(s) have not ended.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Cancel jobs and quit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stay</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Metric</name>
    <message>
        <source>Latency p50</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Latency p90</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Latency p99</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Latency mean</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Latency against the baseline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Throughput</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>First token</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time per token</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Prefill</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Decode</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Parameters that are not zero</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Peak memory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Accuracy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>F1 (macro)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Perplexity</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fidelity (mean cosine)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Fidelity (Spearman)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>items/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>ms</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MB</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>MetricChooser</name>
    <message>
        <source>Lower is better</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Higher is better</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>OwnDataDialog</name>
    <message>
        <source>Use my own data</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>File</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a .csv, .tsv, .jsonl or .txt file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose the file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Column of the text</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Column of the label</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Which label is which class</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Label in the file</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Class of the model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Limit</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>all rows</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>First rows</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Text</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Label</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Classes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Preview</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a file with your data</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tables and texts (*.csv *.tsv *.jsonl *.ndjson *.txt)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>All files (*)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Class of the label %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Choose a file.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Give the task a name.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Text and label must be different columns.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This column has too many different values to be a label.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ParetoPage</name>
    <message>
        <source>x</source>
        <comment>horizontal axis</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>y</source>
        <comment>vertical axis</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Metric of the horizontal axis</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Metric of the vertical axis</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>log x</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Logarithmic horizontal axis</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Table</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show the values as a table</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Which runs are not shown, and why</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%1 of %Ln run(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln not comparable ▸</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln run(s) not comparable: list them</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Nothing measured yet for this task and target.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The model is being opened…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Drop a model folder or a .gguf file here.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>nothing was evaluated</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>other data for the same task</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>task: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>another machine</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>target: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>other settings of the task</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>#%1 %2 – %3</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>and %Ln more</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Logarithmic vertical axis</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show everything</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Zoom back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy image</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ParetoPlot</name>
    <message>
        <source>other models</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 (lower is better)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 (higher is better)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pareto plot</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Values of the Pareto plot</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%Ln run(s) hidden</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>These have no value on one of the axes, or one that a logarithmic axis cannot show.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Show or hide %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>#%1 %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipe: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Disturbed by other load</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>On the front</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Dominated</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%1 against %2: %Ln run(s), </source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%Ln on the front. The table view has the values.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>%1 against %2</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>ParetoTableModel</name>
    <message>
        <source>on the front</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>dominated</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>low</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>high</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Front</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>PlotExport</name>
    <message>
        <source>%1 could not be written: %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>“%1” is none of png, svg, pdf and csv.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The picture could not be made.</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>PreferencesDialog</name>
    <message>
        <source>Preferences</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Text size</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>as the system</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> pt</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time a latency for at least</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> s</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Time the untouched model again with every run</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Interleaved (A-B-B-A): the ratio is then free of slow changes of the machine</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Presets</name>
    <message>
        <source>int8 dynamic</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>8-bit weights and activations, computed in integers</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>int4 weights (group 64)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>smallest; activations stay in floating point</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>50 % heads and neurons</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>really removes them: smaller shapes, faster runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>50 % heads and neurons + int8</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>pruned first, then 8-bit weights and activations</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>50 % weights</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>smaller only when packed; no faster yet</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>PropertiesDialog</name>
    <message>
        <source>Properties of %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Path</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Format</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Family</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Blocks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Width</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Vocabulary</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>In memory</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Files</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n file(s), %1</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%1: %n layer(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Types</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Classes</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>SHA-256</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>being computed</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>RatioEditor</name>
    <message>
        <source>%1, slider</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> %</source>
        <comment>percent, after the number</comment>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>RecipeCommands</name>
    <message>
        <source>%1: %2</source>
        <comment>Undo: the step</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>there is no step</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Redo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>preset %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The recipe does not fit</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n override(s) match no layer here</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>The recipe fits this model.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>open a model first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the recipe is empty</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>RecipeDocument</name>
    <message>
        <source>weight sparsity</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>heads</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>neurons</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>blocks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>number format</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>recipe name</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>ratio of %n group(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>sparsity of %n layer(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>bits of %n layer(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>removal of %n block(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>return of %n block(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>reset to the whole model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>reset of everything</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>opening of %1</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>RecipePane</name>
    <message>
        <source>Preset</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>own settings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>preset %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1: method</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Sets the weights of smallest magnitude to zero</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Removes those with the smallest L1 norm</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1: share to remove</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bits</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Activations</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>as they are</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>int8 dynamic</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Activations are rounded to 8 bits while the model runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>needs int8 weights with one scale a channel</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>open a model first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the model has a single block</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>size: –</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 → %2</source>
        <comment>size before, after</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 → %2</source>
        <comment>parameters before, after</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 · %2 parameters</source>
        <comment>bytes, count</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>, %1 of them zero</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source> (which blocks go decides)</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n override(s) match no layer here</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>latency, accuracy: not measured yet</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>measured (#%1): %2</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>RunCommands</name>
    <message>
        <source>Measuring is off: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Runs can be looked at but not stored: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>recipe of #%1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The recipe cannot be used</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The command line was copied.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>runs cannot be stored</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>open a model first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>no job is running</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>choose a run first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>only a finished run can be the baseline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Un&amp;pin the Baseline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Pin as Baseline</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>RunTableModel</name>
    <message>
        <source>queued</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>running</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>finished</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>failed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>cancelled</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>finished, disturbed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pinned as the baseline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Nothing was evaluated</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1: %2</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No comparable baseline is stored</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This run is the baseline</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Latency p50 against “%1”</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Other load above 5 % of the cores while timing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Median latency with its 95 % interval</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>The metric of the run&apos;s task with its 95 % interval</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Median latency against the baseline of the comparable runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Name</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Recipe</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Task</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Target</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>p50, ms</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quality</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>MB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Δ p50</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Date</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Status</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Note</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Runner</name>
    <message>
        <source>open a model first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Baseline</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>RunsPane</name>
    <message>
        <source>Remove deleted runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>Remove %Ln deleted run(s) for ever? This cannot be undone.</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>Remove</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keep</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Stored runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Filter</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Filter runs</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Words that must occur in name, model, recipe, task, target or note</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only runs of the open model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Comparable</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Only runs comparable with one started now</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Deleted</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Deleted runs, until they are removed</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Restore</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bring the selected runs back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Remove all deleted runs for ever</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Undo</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Bring the deleted runs back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Close this bar</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No deleted runs.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>No run passes the filter.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Every run is kept here, also those of the command line.</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Rename</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Edit note</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Copy as table</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>Deleted %Ln run(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ShortcutsDialog</name>
    <message>
        <source>Shortcuts</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Commands and their keys</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Command</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Keys</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Stages</name>
    <message>
        <source>Idle</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Opening the model</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tokenizing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Calibrating</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Pruning</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Quantizing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Packing weights</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Waiting: another process measures on this machine</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Warming up</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Timing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Evaluating</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Generating</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Writing</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Reading back</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Counting values</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>StatusLine</name>
    <message>
        <source>Progress of the running job</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 left</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>worker: not started</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>worker: starting</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>worker: busy</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>worker: busy, %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>worker: ready</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>worker: ready, %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n run(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>(read only)</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>TargetChooser</name>
    <message>
        <source>Device</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Threads</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Batch</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tokens per item</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tokens of the prompt</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Tokens generated</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CPU</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the worker found no NVIDIA GPU that libtorch can use</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>not known until the worker has started</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>cuda:0 (%1)</source>
        <comment>why it cannot be chosen</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>This machine · %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Target: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Where runs are measured: device, threads, batch × tokens</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>TaskCatalogue</name>
    <message numerus="yes">
        <source>%n row(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>open a model first</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>its data is not on this machine; ./dev setup fetches it</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>TaskChooser</name>
    <message>
        <source>none: latency only</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Task: %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Measured with the data of %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Without a task only latency and size are measured</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 (%2)</source>
        <comment>task, why it cannot be chosen</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Use my own data…</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>Texts</name>
    <message numerus="yes">
        <source>%n layer(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n sample(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n token(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n pass(es)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
    <message>
        <source>%1 %2 of %3</source>
        <comment>stage, done, total</comment>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Weights</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Heads</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Neurons</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>Blocks</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>magnitude</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>L1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>%1 %</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the model has no classification head</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>perplexity needs a text generator (a decoder)</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>embeddings need an encoder</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>the model gives classes, not embeddings</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>CPU</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>%n thread(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
</context>
<context>
    <name>ViewCommands</name>
    <message>
        <source>&amp;System</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Light</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>&amp;Dark</source>
        <translation type="unfinished"></translation>
    </message>
</context>
<context>
    <name>WorkerClient</name>
    <message>
        <source>a line is longer than 1 MiB</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a line is no message</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it speaks version %1 of the protocol, the studio version %2; both must come from one installation</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a message that only the studio may send</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a result came in %1 of %2 pieces</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>a result is no JSON</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>it ended with code %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>killed by the system, perhaps out of memory: it held %1, %2 are free</source>
        <translation type="unfinished"></translation>
    </message>
    <message>
        <source>signal %1</source>
        <translation type="unfinished"></translation>
    </message>
    <message numerus="yes">
        <source>it did not answer within %n second(s)</source>
        <translation type="unfinished">
            <numerusform></numerusform>
        </translation>
    </message>
</context>
</TS>
