<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="zh_CN" sourcelanguage="en_US">
    <context>
        <name>PartFacts</name>
        <message>
            <source>Rank %1 on %2: %3 of weights, %4 of the time exchanging values (waiting for others: %5)</source>
            <translation>%2 上的进程 %1：权重 %3，%4 的时间用于交换数值（等待其他进程：%5）</translation>
        </message>
        <message>
            <source>not known</source>
            <translation>未知</translation>
        </message>
    </context>
    <context>
        <name>GpuFacts</name>
        <message>
            <source>nothing noticed</source>
            <translation>未发现</translation>
        </message>
        <message>
            <source>Pass by GPU events</source>
            <translation>GPU 事件计时的一次运行</translation>
        </message>
        <message>
            <source>GPU memory at most</source>
            <translation>GPU 显存峰值</translation>
        </message>
        <message>
            <source>Decoding steps on the GPU</source>
            <translation>GPU 上的解码步</translation>
        </message>
        <message>
            <source>GPU power</source>
            <translation>GPU 功率</translation>
        </message>
        <message>
            <source>%1 of %2 W</source>
            <comment>power, limit</comment>
            <translation>%1 / %2 W</translation>
        </message>
        <message>
            <source>GPU clock</source>
            <translation>GPU 频率</translation>
        </message>
        <message>
            <source>GPU memory clock</source>
            <translation>GPU 显存频率</translation>
        </message>
        <message>
            <source>GPU temperature</source>
            <translation>GPU 温度</translation>
        </message>
        <message>
            <source>GPU use</source>
            <translation>GPU 利用率</translation>
        </message>
        <message>
            <source>GPU held back by</source>
            <translation>GPU 降频原因</translation>
        </message>
        <message>
            <source>Other processes on the GPU</source>
            <translation>GPU 上的其他进程</translation>
        </message>
    </context>
    <context>
        <name>Actions</name>
        <message>
            <source>&amp;New Window</source>
            <translation>新建窗口(&amp;N)</translation>
        </message>
        <message>
            <source>&amp;Open Model…</source>
            <translation>打开模型(&amp;O)…</translation>
        </message>
        <message>
            <source>Open &amp;Recent</source>
            <translation>最近打开(&amp;R)</translation>
        </message>
        <message>
            <source>&amp;Hugging Face Cache</source>
            <translation>Hugging Face 缓存(&amp;H)</translation>
        </message>
        <message>
            <source>Open Re&amp;cipe…</source>
            <translation>打开配方(&amp;C)…</translation>
        </message>
        <message>
            <source>&amp;Save Recipe</source>
            <translation>保存配方(&amp;S)</translation>
        </message>
        <message>
            <source>Save Recipe &amp;As…</source>
            <translation>配方另存为(&amp;A)…</translation>
        </message>
        <message>
            <source>&amp;Export Model…</source>
            <translation>导出模型(&amp;E)…</translation>
        </message>
        <message>
            <source>Save &amp;Plot…</source>
            <translation>保存图(&amp;P)…</translation>
        </message>
        <message>
            <source>&amp;Quit</source>
            <translation>退出(&amp;Q)</translation>
        </message>
        <message>
            <source>&amp;Undo</source>
            <translation>撤销(&amp;U)</translation>
        </message>
        <message>
            <source>&amp;Redo</source>
            <translation>重做(&amp;R)</translation>
        </message>
        <message>
            <source>&amp;Copy</source>
            <translation>复制(&amp;C)</translation>
        </message>
        <message>
            <source>&amp;Paste</source>
            <translation>粘贴(&amp;P)</translation>
        </message>
        <message>
            <source>Select &amp;All</source>
            <translation>全选(&amp;A)</translation>
        </message>
        <message>
            <source>&amp;Filter</source>
            <translation>筛选(&amp;F)</translation>
        </message>
        <message>
            <source>Pre&amp;ferences…</source>
            <translation>首选项(&amp;F)…</translation>
        </message>
        <message>
            <source>&amp;Properties…</source>
            <translation>属性(&amp;P)…</translation>
        </message>
        <message>
            <source>&amp;Reload</source>
            <translation>重新载入(&amp;R)</translation>
        </message>
        <message>
            <source>&amp;Close</source>
            <translation>关闭(&amp;C)</translation>
        </message>
        <message>
            <source>&amp;Presets</source>
            <translation>预设(&amp;P)</translation>
        </message>
        <message>
            <source>Reset &amp;Selected Layers</source>
            <translation>重置所选层(&amp;S)</translation>
        </message>
        <message>
            <source>Reset &amp;All</source>
            <translation>全部重置(&amp;A)</translation>
        </message>
        <message>
            <source>&amp;Validate</source>
            <translation>检查(&amp;V)</translation>
        </message>
        <message>
            <source>&amp;Run</source>
            <translation>运行(&amp;R)</translation>
        </message>
        <message>
            <source>Measure &amp;Baseline</source>
            <translation>测量基线(&amp;B)</translation>
        </message>
        <message>
            <source>Run All Pre&amp;sets</source>
            <translation>运行全部预设(&amp;S)</translation>
        </message>
        <message>
            <source>Run a &amp;Grid…</source>
            <translation>运行网格(&amp;G)…</translation>
        </message>
        <message>
            <source>S&amp;top</source>
            <translation>停止(&amp;T)</translation>
        </message>
        <message>
            <source>&amp;Hold Queue</source>
            <translation>暂停队列(&amp;H)</translation>
        </message>
        <message>
            <source>&amp;Pin as Baseline</source>
            <translation>固定为基线(&amp;P)</translation>
        </message>
        <message>
            <source>&amp;Compare Selected</source>
            <translation>比较所选(&amp;C)</translation>
        </message>
        <message>
            <source>&amp;Use This Recipe</source>
            <translation>使用此配方(&amp;U)</translation>
        </message>
        <message>
            <source>R&amp;e-run</source>
            <translation>重新运行(&amp;E)</translation>
        </message>
        <message>
            <source>&amp;Delete</source>
            <translation>删除(&amp;D)</translation>
        </message>
        <message>
            <source>Copy as Command &amp;Line</source>
            <translation>复制为命令行(&amp;L)</translation>
        </message>
        <message>
            <source>&amp;Pages</source>
            <translation>页面(&amp;P)</translation>
        </message>
        <message>
            <source>P&amp;anes</source>
            <translation>面板(&amp;A)</translation>
        </message>
        <message>
            <source>&amp;Theme</source>
            <translation>主题(&amp;T)</translation>
        </message>
        <message>
            <source>&amp;Language</source>
            <translation>语言(&amp;L)</translation>
        </message>
        <message>
            <source>&amp;Reset Layout</source>
            <translation>重置布局(&amp;R)</translation>
        </message>
        <message>
            <source>&amp;Help</source>
            <translation>帮助(&amp;H)</translation>
        </message>
        <message>
            <source>&amp;Shortcuts</source>
            <translation>快捷键(&amp;S)</translation>
        </message>
        <message>
            <source>Open Sa&amp;mple</source>
            <translation>打开示例(&amp;M)</translation>
        </message>
        <message>
            <source>&amp;Log Folder</source>
            <translation>日志文件夹(&amp;L)</translation>
        </message>
        <message>
            <source>&amp;About Pareto Studio</source>
            <translation>关于 Pareto Studio(&amp;A)</translation>
        </message>
        <message>
            <source>Show &amp;Items</source>
            <translation>显示逐条结果(&amp;I)</translation>
        </message>
        <message>
            <source>Tr&amp;y in Playground</source>
            <translation>在试验台中试用(&amp;Y)</translation>
        </message>
        <message>
            <source>Pr&amp;ofile</source>
            <translation>剖析(&amp;O)</translation>
        </message>
        <message>
            <source>New Pro&amp;ject…</source>
            <translation>新建项目(&amp;J)…</translation>
        </message>
        <message>
            <source>Open Projec&amp;t…</source>
            <translation>打开项目(&amp;T)…</translation>
        </message>
        <message>
            <source>Recent Projects</source>
            <translation>最近的项目</translation>
        </message>
        <message>
            <source>Open S&amp;weep…</source>
            <translation>打开扫描(&amp;W)…</translation>
        </message>
        <message>
            <source>Predict Sc&amp;aling</source>
            <translation>预测扩展性(&amp;A)</translation>
        </message>
    </context>
    <context>
        <name>Dialogs</name>
        <message>
            <source>Copy details</source>
            <translation>复制详细信息</translation>
        </message>
    </context>
    <context>
        <name>Errors</name>
        <message>
            <source>The engine stopped with an error in {where}: {reason}.</source>
            <translation>引擎在 {where} 处出错并停止：{reason}。</translation>
        </message>
        <message>
            <source>The exported file {file} was read back and differs: tensor {tensor}, {reason}. Nothing was put in place.</source>
            <translation>导出的文件 {file} 回读后不一致：张量 {tensor}，{reason}。没有写入任何内容。</translation>
        </message>
        <message>
            <source>There is no job named {job}; this worker knows: {known}.</source>
            <translation>没有名为 {job} 的任务；此工作进程支持：{known}。</translation>
        </message>
        <message>
            <source>The run store {file} is in use by another program; it did not become free within {seconds} s.</source>
            <translation>运行库 {file} 正被其他程序使用；{seconds} 秒内未释放。</translation>
        </message>
        <message>
            <source>The run store {file} reported an error: {reason}.</source>
            <translation>运行库 {file} 报告错误：{reason}。</translation>
        </message>
        <message>
            <source>The worker ended unexpectedly ({reason}). The job can be retried.</source>
            <translation>工作进程意外结束（{reason}）。可以重试此作业。</translation>
        </message>
        <message>
            <source>The worker sent something that is not understood: {reason}.</source>
            <translation>无法理解工作进程发送的内容：{reason}。</translation>
        </message>
        <message>
            <source>The worker {program} could not be started: {reason}.</source>
            <translation>无法启动工作进程 {program}：{reason}。</translation>
        </message>
        <message>
            <source>Rank {rank} on {host} {reason}. All ranks ended. Run the same command again; training goes on from its last state on disk.</source>
            <translation>{host} 上的第 {rank} 号进程：{reason}。所有进程均已结束。请再次运行同一命令；训练将从磁盘上最后保存的状态继续。</translation>
        </message>
        <message>
            <source>Rank {rank} on {host} {reason}. Give all ranks the same program, files and options, on machines of one kind.</source>
            <translation>{host} 上的第 {rank} 号进程：{reason}。请为所有进程提供相同的程序、文件和选项，并使用同类机器。</translation>
        </message>
        <message>
            <source>Training broke off at step {step}: the loss is {value}. Take a smaller learning rate, or a longer warm-up.</source>
            <translation>训练在第 {step} 步中断：损失为 {value}。请减小学习率或延长预热。</translation>
        </message>
        <message>
            <source>{what} is missing. See: {help}.</source>
            <translation>缺少 {what}。参见：{help}。</translation>
        </message>
        <message>
            <source>{what} is not known. See: {help}.</source>
            <translation>未知的 {what}。参见：{help}。</translation>
        </message>
        <message>
            <source>{file}: {field} {reason}.</source>
            <translation>{file}：{field} {reason}。</translation>
        </message>
        <message>
            <source>{file} has no column named {column}; it has: {known}.</source>
            <translation>{file} 没有名为 {column} 的列；现有：{known}。</translation>
        </message>
        <message>
            <source>{file} holds no usable rows for split {split}.</source>
            <translation>{file} 中没有可用于划分 {split} 的行。</translation>
        </message>
        <message>
            <source>{file}, line {line}: {reason}.</source>
            <translation>{file} 第 {line} 行：{reason}。</translation>
        </message>
        <message>
            <source>The device {device} cannot be used: {reason}.</source>
            <translation>无法使用设备 {device}：{reason}。</translation>
        </message>
        <message>
            <source>The GPU {device} failed in {where}: {reason}. It cannot be used again until the program is restarted; the CPU goes on.</source>
            <translation>GPU {device} 在{where}中失效：{reason}。重新启动程序之前无法再使用它；CPU 可以继续使用。</translation>
        </message>
        <message>
            <source>The device {device} cannot be used: the NVIDIA driver does not start, {name} ({reason}).</source>
            <translation>无法使用设备 {device}：NVIDIA 驱动程序无法启动，{name}（{reason}）。</translation>
        </message>
        <message>
            <source>The device {device} cannot be used: there is no NVIDIA driver (libcuda.so.1). Install the GPU&apos;s driver, or use the CPU.</source>
            <translation>无法使用设备 {device}：没有 NVIDIA 驱动程序（libcuda.so.1）。请安装 GPU 的驱动程序，或使用 CPU。</translation>
        </message>
        <message>
            <source>The device {device} cannot be used: the NVIDIA driver {release} knows CUDA {found}, libtorch here needs CUDA {needed}. Update the driver to {update} or newer.</source>
            <translation>无法使用设备 {device}：NVIDIA 驱动程序 {release} 支持 CUDA {found}，此处的 libtorch 需要 CUDA {needed}。请将驱动程序更新到 {update} 或更高版本。</translation>
        </message>
        <message>
            <source>The device {device} cannot be used: CUDA_VISIBLE_DEVICES=&apos;{value}&apos; hides every GPU ({count} installed). Unset it, or name one that is there.</source>
            <translation>无法使用设备 {device}：CUDA_VISIBLE_DEVICES=&apos;{value}&apos; 隐藏了所有 GPU（已安装 {count} 个）。请取消设置该变量，或指定一个存在的 GPU。</translation>
        </message>
        <message>
            <source>The device {device} cannot be used: libtorch&apos;s CUDA libraries cannot be loaded ({reason}). Run ./dev setup, which installs them where there is an NVIDIA driver.</source>
            <translation>无法使用设备 {device}：无法加载 libtorch 的 CUDA 库（{reason}）。请运行 ./dev setup，它会在有 NVIDIA 驱动程序的机器上安装这些库。</translation>
        </message>
        <message>
            <source>The device {device} cannot be used: the NVIDIA driver is there and sees no GPU.</source>
            <translation>无法使用设备 {device}：NVIDIA 驱动程序已安装，但没有发现 GPU。</translation>
        </message>
        <message>
            <source>The device {device} cannot be used: {name} is {capability}, and libtorch here has code for {known}.</source>
            <translation>无法使用设备 {device}：{name} 是 {capability}，而此处的 libtorch 只有适用于 {known} 的代码。</translation>
        </message>
        <message>
            <source>The GPU {device} has not enough memory for {what}: {needed} needed, {free} free. Take a smaller batch, shorter texts or a smaller format.</source>
            <translation>GPU {device} 没有足够的显存用于{what}：需要 {needed}，可用 {free}。请使用更小的批次、更短的文本或更小的格式。</translation>
        </message>
        <message>
            <source>{file}: the architecture {family} is not known. Known are: {known}.</source>
            <translation>{file}：未知的架构 {family}。已知的有：{known}。</translation>
        </message>
        <message>
            <source>{file} was changed while it was in use. Try again.</source>
            <translation>{file} 在使用期间被更改。请重试。</translation>
        </message>
        <message>
            <source>{file}, offset {offset}: {reason}. The file is damaged or not what its name says; get it again.</source>
            <translation>{file} 偏移 {offset} 处：{reason}。文件已损坏或与其名称不符；请重新获取。</translation>
        </message>
        <message>
            <source>{file} is not a model that can be opened: {reason}.</source>
            <translation>{file} 不是可以打开的模型：{reason}。</translation>
        </message>
        <message>
            <source>{file} does not exist.</source>
            <translation>{file} 不存在。</translation>
        </message>
        <message>
            <source>{file} is cut short: {expected} bytes expected, {found} found. Get it again.</source>
            <translation>{file} 不完整：应有 {expected} 字节，实有 {found} 字节。请重新获取。</translation>
        </message>
        <message>
            <source>{file} cannot be read: {reason}.</source>
            <translation>无法读取 {file}：{reason}。</translation>
        </message>
        <message>
            <source>{file} is refused: {reason}.</source>
            <translation>已拒绝 {file}：{reason}。</translation>
        </message>
        <message>
            <source>{file} cannot be written: {reason}.</source>
            <translation>无法写入 {file}：{reason}。</translation>
        </message>
        <message>
            <source>{file}, offset {offset}: not valid JSON: {reason}.</source>
            <translation>{file} 偏移 {offset} 处：不是有效的 JSON：{reason}。</translation>
        </message>
        <message>
            <source>No layer, group or block is named {layer}.</source>
            <translation>没有名为 {layer} 的层、组或块。</translation>
        </message>
        <message>
            <source>The recipe cannot be used: {field} {reason}.</source>
            <translation>无法使用此配方：{field} {reason}。</translation>
        </message>
        <message>
            <source>There is no run {run} in {file}.</source>
            <translation>{file} 中没有运行 {run}。</translation>
        </message>
        <message>
            <source>{file} is not a Pareto Studio store: {reason}.</source>
            <translation>{file} 不是 Pareto Studio 的运行库：{reason}。</translation>
        </message>
        <message>
            <source>{file} was written by a newer Pareto Studio (version {found}, this program knows {known}). Update the program; the file was not touched.</source>
            <translation>{file} 由更新版本的 Pareto Studio 写入（版本 {found}，本程序支持 {known}）。请更新程序；文件未被改动。</translation>
        </message>
        <message>
            <source>The target cannot be used: {field} {reason}.</source>
            <translation>无法使用此目标：{field} {reason}。</translation>
        </message>
        <message>
            <source>The task cannot be used: {field} {reason}.</source>
            <translation>无法使用此任务：{field} {reason}。</translation>
        </message>
        <message>
            <source>The task {task} does not fit the model {model}: {reason}.</source>
            <translation>任务 {task} 不适合模型 {model}：{reason}。</translation>
        </message>
        <message>
            <source>{file}: the tensor {tensor} is missing.</source>
            <translation>{file}：缺少张量 {tensor}。</translation>
        </message>
        <message>
            <source>{file}: the tensor {tensor} has shape {found}, expected {expected}.</source>
            <translation>{file}：张量 {tensor} 的形状为 {found}，应为 {expected}。</translation>
        </message>
        <message>
            <source>{file}: the tensor {tensor} has type {found}, which cannot be used here ({reason}).</source>
            <translation>{file}：张量 {tensor} 的类型为 {found}，此处不能使用（{reason}）。</translation>
        </message>
        <message>
            <source>{file}: the tensor {tensor} has {count} values that are not finite; {reason}.</source>
            <translation>{file}：张量 {tensor} 有 {count} 个非有限值；{reason}。</translation>
        </message>
        <message>
            <source>{file}: the tokenizer cannot be used: {reason}.</source>
            <translation>{file}：无法使用分词器：{reason}。</translation>
        </message>
        <message>
            <source>{file}: no tokenizer was found (looked for {known}).</source>
            <translation>{file}：未找到分词器（查找了 {known}）。</translation>
        </message>
        <message>
            <source>There is not enough space for {file}: {needed} bytes needed, {free} free.</source>
            <translation>{file} 的空间不足：需要 {needed} 字节，可用 {free} 字节。</translation>
        </message>
        <message>
            <source>There is not enough memory for {what}: about {needed} bytes needed, {free} free.</source>
            <translation>{what} 的内存不足：约需 {needed} 字节，可用 {free} 字节。</translation>
        </message>
    </context>
    <context>
        <name>FormatChooser</name>
        <message>
            <source>as in the file</source>
            <translation>与文件相同</translation>
        </message>
        <message>
            <source>tensor</source>
            <comment>what a scale covers</comment>
            <translation>整个张量</translation>
        </message>
        <message>
            <source>channel</source>
            <comment>what a scale covers</comment>
            <translation>每通道</translation>
        </message>
        <message>
            <source>32-bit floats: 4 bytes a weight, nothing lost</source>
            <translation>32 位浮点：每个权重 4 字节，没有损失</translation>
        </message>
        <message>
            <source>16-bit floats: half the bytes, next to nothing lost; ends at 65504</source>
            <translation>16 位浮点：字节减半，几乎没有损失；最大 65504</translation>
        </message>
        <message>
            <source>16-bit floats of fp32&apos;s range and 8 bits of precision: half the bytes</source>
            <translation>16 位浮点，范围同 fp32，精度 8 位：字节减半</translation>
        </message>
        <message>
            <source>8-bit floats (E4M3) times a scale: a quarter of the bytes. For weights of very different sizes; int8 is usually closer and faster on a CPU.</source>
            <translation>8 位浮点 (E4M3) 乘以缩放系数：四分之一的字节。适合大小相差很大的权重；在 CPU 上 int8 通常更准也更快。</translation>
        </message>
        <message>
            <source>16-bit integers: half the bytes, closer than fp16 for all but the smallest weights. Products run in fp32.</source>
            <translation>16 位整数：字节减半，除最小的权重外比 fp16 更准。乘积以 fp32 计算。</translation>
        </message>
        <message>
            <source>8-bit integers: a quarter of the bytes, little lost; with int8 activations the fastest on this processor</source>
            <translation>8 位整数：四分之一的字节，损失很小；配合 int8 激活在此处理器上最快</translation>
        </message>
        <message>
            <source>4-bit integers: an eighth of the bytes. Wants groups of 32 to 128; GPTQ keeps quality.</source>
            <translation>4 位整数：八分之一的字节。需要 32 到 128 的分组；GPTQ 可保持质量。</translation>
        </message>
        <message>
            <source>3-bit integers: a tenth of the bytes. Wants groups and GPTQ, loses noticeably without. No faster than int4.</source>
            <translation>3 位整数：约十分之一的字节。需要分组和 GPTQ，否则损失明显。不比 int4 快。</translation>
        </message>
        <message>
            <source>2-bit integers, four values a weight: the smallest. Most models break without small groups and GPTQ. No faster than int4.</source>
            <translation>2 位整数，每个权重只有四个取值：最小。没有小分组和 GPTQ，多数模型会失效。不比 int4 快。</translation>
        </message>
    </context>
    <context>
        <name>JobTexts</name>
        <message>
            <source>finished: #%1</source>
            <translation>已完成：#%1</translation>
        </message>
        <message>
            <source>verified: read back, all tensors equal</source>
            <translation>已验证：回读后所有张量一致</translation>
        </message>
        <message>
            <source>finished</source>
            <translation>已完成</translation>
        </message>
        <message>
            <source>failed: %1</source>
            <translation>失败：%1</translation>
        </message>
        <message>
            <source>failed</source>
            <translation>失败</translation>
        </message>
        <message>
            <source>cancelled</source>
            <translation>已取消</translation>
        </message>
        <message>
            <source>interrupted; Retry runs it again</source>
            <translation>已中断；“重试”可再次运行</translation>
        </message>
        <message>
            <source>being looked at</source>
            <translation>正在查看</translation>
        </message>
        <message>
            <source>starting</source>
            <translation>正在启动</translation>
        </message>
        <message>
            <source>waiting in Slurm</source>
            <translation>在 Slurm 中等待</translation>
        </message>
        <message>
            <source>stopping</source>
            <translation>正在停止</translation>
        </message>
        <message>
            <source>cancelled; Retry goes on</source>
            <translation>已取消；“重试”可继续</translation>
        </message>
        <message>
            <source>nobody works on it; Retry goes on</source>
            <translation>没有进程在处理；“重试”可继续</translation>
        </message>
        <message>
            <source>%1 of %2 finished</source>
            <translation>已完成 %1/%2</translation>
        </message>
        <message>
            <source>, %1 failed</source>
            <translation>，%1 个失败</translation>
        </message>
        <message>
            <source>, %1 running</source>
            <translation>，%1 个正在运行</translation>
        </message>
        <message>
            <source>%1: %2</source>
            <comment>12 of 40 finished: stopping</comment>
            <translation>%1：%2</translation>
        </message>
        <message>
            <source>%1. %2</source>
            <comment>state, then an error</comment>
            <translation>%1。%2</translation>
        </message>
        <message>
            <source>waiting</source>
            <translation>等待中</translation>
        </message>
        <message>
            <source>running</source>
            <translation>正在运行</translation>
        </message>
        <message>
            <source>Sweep %1</source>
            <translation>扫描 %1</translation>
        </message>
    </context>
    <context>
        <name>Metric</name>
        <message>
            <source>Latency p50</source>
            <translation>延迟 p50</translation>
        </message>
        <message>
            <source>Latency p90</source>
            <translation>延迟 p90</translation>
        </message>
        <message>
            <source>Latency p99</source>
            <translation>延迟 p99</translation>
        </message>
        <message>
            <source>Latency mean</source>
            <translation>平均延迟</translation>
        </message>
        <message>
            <source>Latency against the baseline</source>
            <translation>相对基线的延迟</translation>
        </message>
        <message>
            <source>Throughput</source>
            <translation>吞吐量</translation>
        </message>
        <message>
            <source>First token</source>
            <translation>首个词元</translation>
        </message>
        <message>
            <source>Time per token</source>
            <translation>每词元时间</translation>
        </message>
        <message>
            <source>Prefill</source>
            <translation>预填充</translation>
        </message>
        <message>
            <source>Decode</source>
            <translation>解码</translation>
        </message>
        <message>
            <source>Model size</source>
            <translation>模型大小</translation>
        </message>
        <message>
            <source>Parameters</source>
            <translation>参数量</translation>
        </message>
        <message>
            <source>Parameters that are not zero</source>
            <translation>非零参数量</translation>
        </message>
        <message>
            <source>Peak memory</source>
            <translation>峰值内存</translation>
        </message>
        <message>
            <source>Accuracy</source>
            <translation>准确率</translation>
        </message>
        <message>
            <source>F1 (macro)</source>
            <translation>F1（宏平均）</translation>
        </message>
        <message>
            <source>Perplexity</source>
            <translation>困惑度</translation>
        </message>
        <message>
            <source>Fidelity (mean cosine)</source>
            <translation>保真度（平均余弦）</translation>
        </message>
        <message>
            <source>Fidelity (Spearman)</source>
            <translation>保真度（斯皮尔曼）</translation>
        </message>
        <message>
            <source>Matthews correlation</source>
            <translation>马修斯相关系数</translation>
        </message>
        <message>
            <source>Entity F1</source>
            <translation>实体 F1</translation>
        </message>
        <message>
            <source>Entity precision</source>
            <translation>实体精确率</translation>
        </message>
        <message>
            <source>Entity recall</source>
            <translation>实体召回率</translation>
        </message>
        <message>
            <source>Accuracy (length-normalized)</source>
            <translation>准确率（按长度归一化）</translation>
        </message>
        <message>
            <source>F1 (SQuAD)</source>
            <translation>F1（SQuAD）</translation>
        </message>
        <message>
            <source>Exact match</source>
            <translation>完全匹配</translation>
        </message>
        <message>
            <source>BLEU</source>
            <translation>BLEU</translation>
        </message>
        <message>
            <source>chrF</source>
            <translation>chrF</translation>
        </message>
        <message>
            <source>ROUGE-L</source>
            <translation>ROUGE-L</translation>
        </message>
        <message>
            <source>ROUGE-1</source>
            <translation>ROUGE-1</translation>
        </message>
        <message>
            <source>ROUGE-2</source>
            <translation>ROUGE-2</translation>
        </message>
        <message>
            <source>nDCG@10</source>
            <translation>nDCG@10</translation>
        </message>
        <message>
            <source>MRR@10</source>
            <translation>MRR@10</translation>
        </message>
        <message>
            <source>Recall@10</source>
            <translation>召回率@10</translation>
        </message>
        <message>
            <source>Recall@100</source>
            <translation>召回率@100</translation>
        </message>
        <message>
            <source>Spearman</source>
            <translation>斯皮尔曼相关系数</translation>
        </message>
        <message>
            <source>Pearson</source>
            <translation>皮尔逊相关系数</translation>
        </message>
        <message>
            <source>KL divergence</source>
            <translation>KL 散度</translation>
        </message>
        <message>
            <source>Same top token</source>
            <translation>首选词元一致率</translation>
        </message>
        <message>
            <source>items/s</source>
            <translation>条/秒</translation>
        </message>
        <message>
            <source>tokens/s</source>
            <translation>词元/秒</translation>
        </message>
        <message>
            <source>ms</source>
            <translation>毫秒</translation>
        </message>
        <message>
            <source>nats</source>
            <translation>奈特</translation>
        </message>
        <message>
            <source>MB</source>
            <translation>MB</translation>
        </message>
    </context>
    <context>
        <name>ParetoPlot</name>
        <message>
            <source>other models</source>
            <translation>其他模型</translation>
        </message>
    </context>
    <context>
        <name>Playground</name>
        <message>
            <source>Classify</source>
            <translation>分类</translation>
        </message>
        <message>
            <source>Score a pair</source>
            <translation>为文本对打分</translation>
        </message>
        <message>
            <source>Embed and compare</source>
            <translation>嵌入并比较</translation>
        </message>
        <message>
            <source>Tag words</source>
            <translation>标注词语</translation>
        </message>
        <message>
            <source>Answer a question</source>
            <translation>回答问题</translation>
        </message>
        <message>
            <source>Fill the mask</source>
            <translation>填充掩码</translation>
        </message>
        <message>
            <source>Translate</source>
            <translation>翻译</translation>
        </message>
        <message>
            <source>Generate</source>
            <translation>生成</translation>
        </message>
        <message>
            <source>Chat</source>
            <translation>对话</translation>
        </message>
        <message>
            <source>waits for its turn</source>
            <translation>等待中</translation>
        </message>
        <message>
            <source>%1 tokens/s</source>
            <translation>%1 词元/秒</translation>
        </message>
        <message>
            <source>%1 tokens/s, %2 % of the draft accepted</source>
            <translation>%1 词元/秒，草稿接受率 %2 %</translation>
        </message>
        <message>
            <source>stopped</source>
            <translation>已停止</translation>
        </message>
        <message>
            <source>Class</source>
            <translation>类别</translation>
        </message>
        <message>
            <source>Difference</source>
            <translation>差异</translation>
        </message>
        <message>
            <source>Another class: %1 became %2.</source>
            <translation>类别不同：%1 变为 %2。</translation>
        </message>
        <message>
            <source>The same class: %1.</source>
            <translation>类别相同：%1。</translation>
        </message>
        <message>
            <source>Pair</source>
            <translation>文本对</translation>
        </message>
        <message>
            <source>Score</source>
            <translation>分数</translation>
        </message>
        <message>
            <source>Texts</source>
            <translation>文本</translation>
        </message>
        <message>
            <source>Cosine of a text&apos;s two embeddings, original and optimized, on average: %1</source>
            <translation>同一文本在原始模型与优化模型中的嵌入余弦，平均：%1</translation>
        </message>
        <message>
            <source>Word</source>
            <translation>词</translation>
        </message>
        <message>
            <source>The same tags.</source>
            <translation>标注相同。</translation>
        </message>
        <message numerus="yes">
            <source>%n word(s) have another tag.</source>
            <translation>
                <numerusform>%n 个词的标注不同。</numerusform>
            </translation>
        </message>
        <message>
            <source>Mask</source>
            <translation>掩码</translation>
        </message>
        <message>
            <source>%1, place %2</source>
            <translation>第 %1 个，第 %2 位</translation>
        </message>
        <message>
            <source>The same word comes first.</source>
            <translation>首选词相同。</translation>
        </message>
        <message>
            <source>Another word comes first.</source>
            <translation>首选词不同。</translation>
        </message>
        <message>
            <source>Text</source>
            <translation>文本</translation>
        </message>
        <message>
            <source>The same texts.</source>
            <translation>文本相同。</translation>
        </message>
        <message numerus="yes">
            <source>%n text(s) differ.</source>
            <translation>
                <numerusform>%n 条文本不同。</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>PlotExport</name>
        <message>
            <source>%1 could not be written: %2</source>
            <translation>无法写入 %1：%2</translation>
        </message>
        <message>
            <source>“%1” is none of png, svg, pdf and csv.</source>
            <translation>“%1”不是 png、svg、pdf 或 csv。</translation>
        </message>
        <message>
            <source>The picture could not be made.</source>
            <translation>无法生成图像。</translation>
        </message>
    </context>
    <context>
        <name>Presets</name>
        <message>
            <source>int8 dynamic</source>
            <translation>int8 动态</translation>
        </message>
        <message>
            <source>8-bit weights and activations, computed in integers</source>
            <translation>8 位权重与激活，以整数计算</translation>
        </message>
        <message>
            <source>int4 weights (group 64)</source>
            <translation>int4 权重（每组 64）</translation>
        </message>
        <message>
            <source>smallest; activations stay in floating point</source>
            <translation>最小；激活保持浮点</translation>
        </message>
        <message>
            <source>50 % heads and neurons</source>
            <translation>50 % 注意力头与神经元</translation>
        </message>
        <message>
            <source>really removes them: smaller shapes, faster runs</source>
            <translation>真正移除：形状更小，运行更快</translation>
        </message>
        <message>
            <source>50 % heads and neurons + int8</source>
            <translation>50 % 注意力头与神经元 + int8</translation>
        </message>
        <message>
            <source>pruned first, then 8-bit weights and activations</source>
            <translation>先剪枝，再使用 8 位权重与激活</translation>
        </message>
        <message>
            <source>50 % weights</source>
            <translation>50 % 权重</translation>
        </message>
        <message>
            <source>smaller only when packed; no faster yet</source>
            <translation>仅在压缩存储时更小；尚不会更快</translation>
        </message>
        <message>
            <source>50 % heads and neurons + distil</source>
            <translation>50 % 注意力头和神经元 + 蒸馏</translation>
        </message>
        <message>
            <source>what is left learns from the untouched model on the chosen task; minutes to hours</source>
            <translation>剩余部分在所选任务上向原始模型学习；需要几分钟到几小时</translation>
        </message>
        <message>
            <source>50 % weights + reconstruct</source>
            <translation>50 % 权重 + 重建</translation>
        </message>
        <message>
            <source>each block is fitted to what the untouched one gave; needs no labels</source>
            <translation>让每个块拟合原始块的输出；不需要标签</translation>
        </message>
    </context>
    <context>
        <name>RecipeDocument</name>
        <message>
            <source>%1 (edited)</source>
            <translation>%1（已修改）</translation>
        </message>
    </context>
    <context>
        <name>Stages</name>
        <message>
            <source>Idle</source>
            <translation>空闲</translation>
        </message>
        <message>
            <source>Opening the model</source>
            <translation>正在打开模型</translation>
        </message>
        <message>
            <source>Tokenizing</source>
            <translation>正在分词</translation>
        </message>
        <message>
            <source>Calibrating</source>
            <translation>正在校准</translation>
        </message>
        <message>
            <source>Pruning</source>
            <translation>正在剪枝</translation>
        </message>
        <message>
            <source>Quantizing</source>
            <translation>正在量化</translation>
        </message>
        <message>
            <source>Packing weights</source>
            <translation>正在打包权重</translation>
        </message>
        <message>
            <source>Waiting: another process measures on this machine</source>
            <translation>等待：本机有另一进程正在测量</translation>
        </message>
        <message>
            <source>Warming up</source>
            <translation>正在预热</translation>
        </message>
        <message>
            <source>Timing</source>
            <translation>正在计时</translation>
        </message>
        <message>
            <source>Evaluating</source>
            <translation>正在评估</translation>
        </message>
        <message>
            <source>Generating</source>
            <translation>正在生成</translation>
        </message>
        <message>
            <source>Writing</source>
            <translation>正在写入</translation>
        </message>
        <message>
            <source>Reading back</source>
            <translation>正在回读</translation>
        </message>
        <message>
            <source>Counting values</source>
            <translation>正在统计数值</translation>
        </message>
        <message>
            <source>Training</source>
            <translation>正在训练</translation>
        </message>
        <message>
            <source>Fitting blocks to the untouched model</source>
            <translation>正在使各层块逼近原始模型</translation>
        </message>
        <message>
            <source>Starting the processes that compute together</source>
            <translation>正在启动共同计算的进程</translation>
        </message>
    </context>
    <context>
        <name>Texts</name>
        <message numerus="yes">
            <source>%n layer(s)</source>
            <translation>
                <numerusform>%n 层</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n sample(s)</source>
            <translation>
                <numerusform>%n 个样本</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n token(s)</source>
            <translation>
                <numerusform>%n 个词元</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%n pass(es)</source>
            <translation>
                <numerusform>%n 次</numerusform>
            </translation>
        </message>
        <message>
            <source>L1 reconstruction</source>
            <translation>L1 重建</translation>
        </message>
        <message>
            <source>%1 %2 of %3</source>
            <comment>stage, done, total</comment>
            <translation>%1 %2 / %3</translation>
        </message>
        <message>
            <source>Weights</source>
            <translation>权重</translation>
        </message>
        <message>
            <source>Heads</source>
            <translation>注意力头</translation>
        </message>
        <message>
            <source>Neurons</source>
            <translation>神经元</translation>
        </message>
        <message>
            <source>Blocks</source>
            <translation>块</translation>
        </message>
        <message>
            <source>magnitude</source>
            <translation>幅值</translation>
        </message>
        <message>
            <source>L1</source>
            <translation>L1</translation>
        </message>
        <message>
            <source>%1 %</source>
            <translation>%1 %</translation>
        </message>
        <message>
            <source>the model has no classification head</source>
            <translation>模型没有分类头</translation>
        </message>
        <message>
            <source>CPU</source>
            <translation>CPU</translation>
        </message>
        <message numerus="yes">
            <source>%n thread(s)</source>
            <translation>
                <numerusform>%n 线程</numerusform>
            </translation>
        </message>
        <message>
            <source>a text generator classifies by likelihood: the task needs label_texts</source>
            <translation>文本生成模型按似然分类：任务需要 label_texts</translation>
        </message>
        <message>
            <source>the model has no head that tags tokens</source>
            <translation>模型没有标注词元的头</translation>
        </message>
        <message>
            <source>the model has no question-answering head</source>
            <translation>模型没有问答头</translation>
        </message>
        <message>
            <source>it needs a text generator (a decoder)</source>
            <translation>需要文本生成模型（解码器）</translation>
        </message>
        <message>
            <source>it needs an encoder-decoder model</source>
            <translation>需要编码器-解码器模型</translation>
        </message>
        <message>
            <source>it needs a model that generates text</source>
            <translation>需要能生成文本的模型</translation>
        </message>
        <message>
            <source>it needs an encoder that gives embeddings</source>
            <translation>需要给出嵌入的编码器</translation>
        </message>
        <message>
            <source>it needs a cross-encoder: a classifier with one class</source>
            <translation>需要交叉编码器：只有一个类别的分类器</translation>
        </message>
        <message>
            <source>for a text generator it needs a plain text</source>
            <translation>对于文本生成模型需要纯文本</translation>
        </message>
        <message>
            <source>Classification</source>
            <translation>分类</translation>
        </message>
        <message>
            <source>Token classification</source>
            <translation>词元分类</translation>
        </message>
        <message>
            <source>Multiple choice</source>
            <translation>多项选择</translation>
        </message>
        <message>
            <source>Question answering</source>
            <translation>问答</translation>
        </message>
        <message>
            <source>Translation</source>
            <translation>翻译</translation>
        </message>
        <message>
            <source>Summaries and other texts</source>
            <translation>摘要及其他文本</translation>
        </message>
        <message>
            <source>Perplexity</source>
            <translation>困惑度</translation>
        </message>
        <message>
            <source>Dialogue</source>
            <translation>对话</translation>
        </message>
        <message>
            <source>Fidelity to the original</source>
            <translation>与原始模型的一致性</translation>
        </message>
        <message>
            <source>Sentence similarity</source>
            <translation>句子相似度</translation>
        </message>
        <message>
            <source>Retrieval</source>
            <translation>检索</translation>
        </message>
        <message>
            <source>Ranking</source>
            <translation>排序</translation>
        </message>
        <message>
            <source>Table (CSV)</source>
            <translation>表格（CSV）</translation>
        </message>
        <message>
            <source>Table with tabs (TSV)</source>
            <translation>制表符表格（TSV）</translation>
        </message>
        <message>
            <source>JSON lines</source>
            <translation>JSON 行</translation>
        </message>
        <message>
            <source>Plain text</source>
            <translation>纯文本</translation>
        </message>
        <message>
            <source>SQuAD (JSON)</source>
            <translation>SQuAD（JSON）</translation>
        </message>
        <message>
            <source>BEIR (folder)</source>
            <translation>BEIR（文件夹）</translation>
        </message>
        <message>
            <source>CoNLL (a word a line)</source>
            <translation>CoNLL（每行一词）</translation>
        </message>
        <message>
            <source>fluctuation (FLAP)</source>
            <translation>波动(FLAP)</translation>
        </message>
        <message>
            <source>second order (ZipLM)</source>
            <translation>二阶(ZipLM)</translation>
        </message>
        <message>
            <source>influence (ShortGPT)</source>
            <translation>影响(ShortGPT)</translation>
        </message>
        <message>
            <source>Width</source>
            <translation>宽度</translation>
        </message>
        <message>
            <source>Fisher (oBERT)</source>
            <translation>Fisher（oBERT）</translation>
        </message>
        <message>
            <source>Taylor</source>
            <translation>Taylor</translation>
        </message>
        <message>
            <source>principal axes (SliceGPT)</source>
            <translation>主轴（SliceGPT）</translation>
        </message>
        <message>
            <source>everything</source>
            <translation>全部</translation>
        </message>
        <message>
            <source>biases</source>
            <translation>偏置</translation>
        </message>
        <message>
            <source>norms</source>
            <translation>归一化层</translation>
        </message>
        <message>
            <source>biases and norms</source>
            <translation>偏置和归一化层</translation>
        </message>
        <message>
            <source>gradual magnitude</source>
            <translation>渐进幅值</translation>
        </message>
        <message>
            <source>movement</source>
            <translation>移动剪枝</translation>
        </message>
        <message>
            <source>soft movement</source>
            <translation>软移动剪枝</translation>
        </message>
        <message>
            <source>L1 proximal</source>
            <translation>L1 近端</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::AboutDialog</name>
        <message>
            <source>About Pareto Studio</source>
            <translation>关于 Pareto Studio</translation>
        </message>
        <message>
            <source>Optimizes transformer models for fast inference and shows what that costs and gains.</source>
            <translation>优化 Transformer 模型以加快推理，并显示由此带来的代价与收益。</translation>
        </message>
        <message>
            <source>libtorch: known once the worker has started</source>
            <translation>libtorch：工作进程启动后才知道版本</translation>
        </message>
        <message>
            <source>Free software under the GNU General Public License, version 3 or later.</source>
            <translation>自由软件，采用 GNU 通用公共许可证第 3 版或更高版本。</translation>
        </message>
        <message>
            <source>Copy</source>
            <translation>复制</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::AnswerPanel</name>
        <message>
            <source>Question</source>
            <translation>问题</translation>
        </message>
        <message>
            <source>Context</source>
            <translation>上下文</translation>
        </message>
        <message>
            <source>The text that holds the answer.</source>
            <translation>包含答案的文本。</translation>
        </message>
        <message>
            <source>Type a question and a context.</source>
            <translation>请输入问题和上下文。</translation>
        </message>
        <message>
            <source>no answer</source>
            <translation>没有答案</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::Application</name>
        <message>
            <source>The settings could not be read; the defaults hold. The old file is kept as .bak.</source>
            <translation>无法读取设置，已采用默认值。旧文件保留为 .bak。</translation>
        </message>
        <message>
            <source>There is no sample named %1 on this machine; ./dev setup fetches them.</source>
            <translation>本机没有名为 %1 的示例；./dev setup 可获取示例。</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ComparePage</name>
        <message>
            <source>Comparison of runs</source>
            <translation>运行比较</translation>
        </message>
        <message>
            <source>Show only differing settings</source>
            <translation>只显示不同的设置</translation>
        </message>
        <message>
            <source>Choose two runs in Runs, then Ctrl+D.</source>
            <translation>请在“运行”中选择两次运行，然后按 Ctrl+D。</translation>
        </message>
        <message numerus="yes">
            <source>%Ln run(s)</source>
            <translation>
                <numerusform>%Ln 次运行</numerusform>
            </translation>
        </message>
        <message>
            <source>Not comparable: task, target or machine differ</source>
            <translation>不可比较：任务、目标或机器不同</translation>
        </message>
        <message>
            <source>Show Items</source>
            <translation>显示逐条结果</translation>
        </message>
        <message>
            <source>Where the first two runs differ, item by item</source>
            <translation>逐条查看前两次运行的差异</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::DataPage</name>
        <message>
            <source>Settings of the task</source>
            <translation>任务设置</translation>
        </message>
        <message>
            <source>File or folder</source>
            <translation>文件或文件夹</translation>
        </message>
        <message>
            <source>A file, or a folder of split files</source>
            <translation>一个文件，或按划分存放文件的文件夹</translation>
        </message>
        <message>
            <source>File…</source>
            <translation>文件…</translation>
        </message>
        <message>
            <source>Folder…</source>
            <translation>文件夹…</translation>
        </message>
        <message>
            <source>Format</source>
            <translation>格式</translation>
        </message>
        <message>
            <source>First rows</source>
            <translation>前几行</translation>
        </message>
        <message>
            <source>Open Task…</source>
            <translation>打开任务…</translation>
        </message>
        <message>
            <source>Save Task…</source>
            <translation>保存任务…</translation>
        </message>
        <message>
            <source>Use This Task</source>
            <translation>使用此任务</translation>
        </message>
        <message>
            <source>Choose your data</source>
            <translation>选择您的数据</translation>
        </message>
        <message>
            <source>Data (*.csv *.tsv *.jsonl *.ndjson *.json *.txt *.conll)</source>
            <translation>数据 (*.csv *.tsv *.jsonl *.ndjson *.json *.txt *.conll)</translation>
        </message>
        <message>
            <source>All files (*)</source>
            <translation>所有文件 (*)</translation>
        </message>
        <message>
            <source>Format by name</source>
            <translation>按文件名判断格式</translation>
        </message>
        <message numerus="yes">
            <source>The first %n row(s)</source>
            <translation>
                <numerusform>前 %n 行</numerusform>
            </translation>
        </message>
        <message>
            <source>Reading the data…</source>
            <translation>正在读取数据…</translation>
        </message>
        <message>
            <source>Whether it fits is seen once a model is open.</source>
            <translation>打开模型后才能知道是否适用。</translation>
        </message>
        <message>
            <source>Runs are now measured with this task.</source>
            <translation>今后的运行将用此任务测量。</translation>
        </message>
        <message>
            <source>Save the task</source>
            <translation>保存任务</translation>
        </message>
        <message>
            <source>Tasks (*.json)</source>
            <translation>任务 (*.json)</translation>
        </message>
        <message>
            <source>The task could not be saved</source>
            <translation>无法保存任务</translation>
        </message>
        <message>
            <source>Open a task</source>
            <translation>打开任务</translation>
        </message>
        <message>
            <source>The task could not be opened</source>
            <translation>无法打开任务</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::DetailsPane</name>
        <message>
            <source>What the GPU did during the run</source>
            <translation>运行期间 GPU 的情况</translation>
        </message>
        <message>
            <source>What the processes did that held parts of the model</source>
            <translation>持有模型各部分的进程的情况</translation>
        </message>
        <message>
            <source>Details of the current run and layer</source>
            <translation>当前运行与层的详情</translation>
        </message>
        <message>
            <source>Layer times</source>
            <translation>各层耗时</translation>
        </message>
        <message>
            <source>Layer times of #%1</source>
            <translation>#%1 的各层耗时</translation>
        </message>
        <message>
            <source>Latencies</source>
            <translation>延迟</translation>
        </message>
        <message>
            <source>Weights of layer</source>
            <translation>层的权重</translation>
        </message>
        <message>
            <source>Choose a run</source>
            <translation>请选择一次运行</translation>
        </message>
        <message>
            <source>This run has no timings.</source>
            <translation>此运行没有计时数据。</translation>
        </message>
        <message>
            <source>This run has no times per layer.</source>
            <translation>此运行没有各层耗时。</translation>
        </message>
        <message>
            <source>Choose a layer</source>
            <translation>请选择一层</translation>
        </message>
        <message>
            <source>%1 · %2 × %3</source>
            <translation>%1 · %2 × %3</translation>
        </message>
        <message>
            <source>The file is read when the timing has ended.</source>
            <translation>计时结束后再读取文件。</translation>
        </message>
        <message>
            <source>Reading the file…</source>
            <translation>正在读取文件…</translation>
        </message>
        <message>
            <source>After: run first, or choose a run.</source>
            <translation>优化后：请先运行，或选择一次运行。</translation>
        </message>
        <message>
            <source>After: run #%1 has no histogram of this layer.</source>
            <translation>优化后：运行 #%1 没有此层的直方图。</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ExportDialog</name>
        <message>
            <source>Export %1</source>
            <translation>导出 %1</translation>
        </message>
        <message>
            <source>Format</source>
            <translation>格式</translation>
        </message>
        <message>
            <source>Hugging Face folder (safetensors)</source>
            <translation>Hugging Face 文件夹（safetensors）</translation>
        </message>
        <message>
            <source>GGUF file (llama.cpp, Ollama, LM Studio)</source>
            <translation>GGUF 文件（llama.cpp、Ollama、LM Studio）</translation>
        </message>
        <message>
            <source>Type of the weights</source>
            <translation>权重类型</translation>
        </message>
        <message>
            <source>As the recipe holds them</source>
            <translation>与配方一致</translation>
        </message>
        <message>
            <source>Weights</source>
            <translation>权重</translation>
        </message>
        <message>
            <source>Folder to create</source>
            <translation>要创建的文件夹</translation>
        </message>
        <message>
            <source>Choose…</source>
            <translation>选择…</translation>
        </message>
        <message>
            <source>Choose the folder</source>
            <translation>选择文件夹</translation>
        </message>
        <message>
            <source>What the format cannot say</source>
            <translation>此格式无法表达的内容</translation>
        </message>
        <message>
            <source>This recipe has not been measured: the report holds no figures.</source>
            <translation>此配方尚未测量：报告中没有数据。</translation>
        </message>
        <message>
            <source>Nothing is lost in this format.</source>
            <translation>此格式不会丢失任何内容。</translation>
        </message>
        <message>
            <source>Export</source>
            <translation>导出</translation>
        </message>
        <message>
            <source>Folder</source>
            <translation>文件夹</translation>
        </message>
        <message>
            <source>Notes</source>
            <translation>说明</translation>
        </message>
        <message>
            <source>Folder in which the model is put</source>
            <translation>放置模型的文件夹</translation>
        </message>
        <message>
            <source>Say which folder to create.</source>
            <translation>请指定要创建的文件夹。</translation>
        </message>
        <message>
            <source>%1 does not exist or cannot be written.</source>
            <translation>%1 不存在或不可写。</translation>
        </message>
        <message>
            <source>%1 exists and is not empty.</source>
            <translation>%1 已存在且不为空。</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::FileCommands</name>
        <message>
            <source>%1 could not be opened</source>
            <translation>无法打开 %1</translation>
        </message>
        <message>
            <source>%1 is not there any more</source>
            <translation>%1 已不存在</translation>
        </message>
        <message>
            <source>none yet</source>
            <translation>暂无</translation>
        </message>
        <message>
            <source>none here; ./dev setup fetches them</source>
            <translation>本机没有；./dev setup 可获取</translation>
        </message>
        <message>
            <source>no models found</source>
            <translation>未找到模型</translation>
        </message>
        <message>
            <source>Open a model: a folder, or its .gguf or .safetensors file</source>
            <translation>打开模型：文件夹，或其 .gguf / .safetensors 文件</translation>
        </message>
        <message>
            <source>Models (*.gguf *.safetensors *.bin *.pt *.pth *.onnx *.npz config.json modules.json)</source>
            <translation>模型 (*.gguf *.safetensors *.bin *.pt *.pth *.onnx *.npz config.json modules.json)</translation>
        </message>
        <message>
            <source>All files (*)</source>
            <translation>所有文件 (*)</translation>
        </message>
        <message>
            <source>Open a recipe</source>
            <translation>打开配方</translation>
        </message>
        <message>
            <source>Recipes (*.json)</source>
            <translation>配方 (*.json)</translation>
        </message>
        <message>
            <source>The recipe could not be saved</source>
            <translation>无法保存配方</translation>
        </message>
        <message>
            <source>Save the recipe</source>
            <translation>保存配方</translation>
        </message>
        <message>
            <source>Export %1</source>
            <translation>导出 %1</translation>
        </message>
        <message>
            <source>The run cannot be exported</source>
            <translation>无法导出此运行</translation>
        </message>
        <message>
            <source>Save the plot</source>
            <translation>保存图</translation>
        </message>
        <message>
            <source>Image (*.png)</source>
            <translation>图像 (*.png)</translation>
        </message>
        <message>
            <source>Vector graphics (*.svg)</source>
            <translation>矢量图 (*.svg)</translation>
        </message>
        <message>
            <source>PDF (*.pdf)</source>
            <translation>PDF (*.pdf)</translation>
        </message>
        <message>
            <source>Table (*.csv)</source>
            <translation>表格 (*.csv)</translation>
        </message>
        <message>
            <source>The plot could not be saved</source>
            <translation>无法保存图</translation>
        </message>
        <message>
            <source>open a model first</source>
            <translation>请先打开模型</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::GeneratePanel</name>
        <message>
            <source>Optimized model drafts</source>
            <translation>由优化后的模型起草</translation>
        </message>
        <message>
            <source>The optimized model proposes the original's tokens, the original verifies them: the same text, sooner if the optimized model is much faster and mostly right.</source>
            <translation>由优化后的模型提议原始模型的词元，原始模型逐一验证：文本不变；优化后的模型明显更快且大多正确时，完成得更早。</translation>
        </message>
        <message>
            <source>Prompt</source>
            <translation>提示词</translation>
        </message>
        <message>
            <source>The beginning of a text. Ctrl+Enter tries it.</source>
            <translation>一段文本的开头。按 Ctrl+Enter 试用。</translation>
        </message>
        <message>
            <source>System message</source>
            <translation>系统消息</translation>
        </message>
        <message>
            <source>System message: how the model is to behave</source>
            <translation>系统消息：模型应如何表现</translation>
        </message>
        <message>
            <source>Message</source>
            <translation>消息</translation>
        </message>
        <message>
            <source>Your message. Enter sends it.</source>
            <translation>您的消息。按 Enter 发送。</translation>
        </message>
        <message>
            <source>Clear</source>
            <translation>清空</translation>
        </message>
        <message>
            <source>Clear the dialogue</source>
            <translation>清空对话</translation>
        </message>
        <message>
            <source>Type a message.</source>
            <translation>请输入消息。</translation>
        </message>
        <message>
            <source>Type a prompt.</source>
            <translation>请输入提示词。</translation>
        </message>
        <message>
            <source>You:</source>
            <translation>您：</translation>
        </message>
        <message>
            <source>Model:</source>
            <translation>模型：</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::GridDialog</name>
        <message>
            <source>Run a grid</source>
            <translation>运行网格</translation>
        </message>
        <message>
            <source>Ratios in per cent</source>
            <translation>比例（百分比）</translation>
        </message>
        <message>
            <source>Per cent, separated by blanks</source>
            <translation>百分比，以空格分隔</translation>
        </message>
        <message>
            <source>Heads</source>
            <translation>注意力头</translation>
        </message>
        <message>
            <source>Neurons</source>
            <translation>神经元</translation>
        </message>
        <message>
            <source>Single weights</source>
            <translation>单个权重</translation>
        </message>
        <message>
            <source>as in the file</source>
            <translation>与文件相同</translation>
        </message>
        <message>
            <source>Run</source>
            <translation>运行</translation>
        </message>
        <message>
            <source>Ratios, %</source>
            <translation>比例，%</translation>
        </message>
        <message>
            <source>of</source>
            <translation>对象</translation>
        </message>
        <message>
            <source>Bits</source>
            <translation>位宽</translation>
        </message>
        <message>
            <source>Enter ratios from 0 to 99 and choose at least one format.</source>
            <translation>请输入 0 到 99 的比例，并至少选择一种格式。</translation>
        </message>
        <message numerus="yes">
            <source>%n run(s) will be queued</source>
            <translation>
                <numerusform>将有 %n 次运行进入队列</numerusform>
            </translation>
        </message>
        <message>
            <source>Runs</source>
            <translation>运行位置</translation>
        </message>
        <message>
            <source>Processes</source>
            <translation>进程数</translation>
        </message>
        <message>
            <source>Folder</source>
            <translation>文件夹</translation>
        </message>
        <message>
            <source>Where the grid runs</source>
            <translation>网格在何处运行</translation>
        </message>
        <message>
            <source>in this window's queue</source>
            <translation>在此窗口的队列中</translation>
        </message>
        <message>
            <source>as a sweep on this machine</source>
            <translation>作为本机上的扫描</translation>
        </message>
        <message>
            <source>as a job array of Slurm</source>
            <translation>作为 Slurm 的作业数组</translation>
        </message>
        <message>
            <source>Its processes go on when the window is closed</source>
            <translation>关闭窗口后其进程继续运行</translation>
        </message>
        <message>
            <source>The folder must be one that Slurm's nodes see too</source>
            <translation>Slurm 的节点也必须能访问该文件夹</translation>
        </message>
        <message>
            <source>Slurm's command sbatch is not in PATH</source>
            <translation>PATH 中没有 Slurm 的 sbatch 命令</translation>
        </message>
        <message>
            <source>Each holds the model and has its part of the %1 cores; a run of this target takes %2. Times are measured by one at a time, and say when others disturbed them.</source>
            <translation>每个进程各自载入模型并分得 %1 个核心中的一部分；此目标的一次运行占用 %2 个。同一时刻只有一个进程测量时间，受其他进程干扰时会注明。</translation>
        </message>
        <message>
            <source>Folder of the sweep</source>
            <translation>扫描的文件夹</translation>
        </message>
        <message>
            <source>A new folder: the recipes, and how each run ended</source>
            <translation>新文件夹：保存各配方以及每次运行的结果</translation>
        </message>
        <message>
            <source>Enter the whole path of a new folder.</source>
            <translation>请输入新文件夹的完整路径。</translation>
        </message>
        <message numerus="yes">
            <source>%n run(s) will be a sweep</source>
            <translation>
                <numerusform>%n 次运行将组成一个扫描</numerusform>
            </translation>
        </message>
        <message>
            <source>Other machines</source>
            <translation>其他机器</translation>
        </message>
        <message>
            <source>One process there too, over ssh: models and data lie there under the same paths</source>
            <translation>在那里也通过 ssh 启动一个进程：模型和数据在那里位于相同的路径下</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::HelpDialog</name>
        <message>
            <source>Help</source>
            <translation>帮助</translation>
        </message>
        <message>
            <source>&lt;h3&gt;Five steps&lt;/h3&gt;&lt;ol&gt;&lt;li&gt;&lt;b&gt;Open&lt;/b&gt; a model: a Hugging Face folder or a .gguf file.&lt;/li&gt;&lt;li&gt;Choose a &lt;b&gt;preset&lt;/b&gt; or set the knobs in &lt;b&gt;Recipe&lt;/b&gt;. In &lt;b&gt;Layers&lt;/b&gt; single blocks, groups and layers can differ; such cells are bold. The size is exact and follows every edit.&lt;/li&gt;&lt;li&gt;&lt;b&gt;Run&lt;/b&gt; (F5) measures the untouched model first, where no baseline is stored, then the recipe: latency, accuracy and memory, each with its interval.&lt;/li&gt;&lt;li&gt;Every run is a point in &lt;b&gt;Pareto&lt;/b&gt;. Click it to see it in Runs, Layers and Details, double click it to compare it with the baseline.&lt;/li&gt;&lt;li&gt;&lt;b&gt;Export&lt;/b&gt; writes the optimized model, reads it back and compares every tensor.&lt;/li&gt;&lt;/ol&gt;&lt;h3&gt;What is compared&lt;/h3&gt;&lt;p&gt;Only runs with the same task, data and target on the same machine. The number of hidden runs is always shown above the plot.&lt;/p&gt;</source>
            <translation>&lt;h3&gt;五个步骤&lt;/h3&gt;&lt;ol&gt;&lt;li&gt;&lt;b&gt;打开&lt;/b&gt;模型：Hugging Face 文件夹或 .gguf 文件。&lt;/li&gt;&lt;li&gt;选择&lt;b&gt;预设&lt;/b&gt;，或在&lt;b&gt;配方&lt;/b&gt;中调节各项。在&lt;b&gt;层&lt;/b&gt;中，单个块、组和层可以不同；这类单元格以粗体显示。大小是精确值，随每次编辑更新。&lt;/li&gt;&lt;li&gt;&lt;b&gt;运行&lt;/b&gt;（F5）会在没有基线时先测量原模型，然后测量配方：延迟、准确率和内存，均带区间。&lt;/li&gt;&lt;li&gt;每次运行都是&lt;b&gt;帕累托&lt;/b&gt;图中的一个点。单击可在“运行”“层”和“详情”中查看，双击可与基线比较。&lt;/li&gt;&lt;li&gt;&lt;b&gt;导出&lt;/b&gt;会写出优化后的模型，回读并比较每个张量。&lt;/li&gt;&lt;/ol&gt;&lt;h3&gt;比较的对象&lt;/h3&gt;&lt;p&gt;只比较任务、数据、目标和机器都相同的运行。图上方始终显示被隐藏的运行数量。&lt;/p&gt;</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ItemsModel</name>
        <message>
            <source>class %1</source>
            <translation>类别 %1</translation>
        </message>
        <message>
            <source>lost</source>
            <translation>变错</translation>
        </message>
        <message>
            <source>won</source>
            <translation>变对</translation>
        </message>
        <message>
            <source>Window</source>
            <translation>窗口</translation>
        </message>
        <message>
            <source>Row</source>
            <translation>行</translation>
        </message>
        <message>
            <source>Text</source>
            <translation>文本</translation>
        </message>
        <message>
            <source>Expected</source>
            <translation>期望</translation>
        </message>
        <message>
            <source>Difference</source>
            <translation>差异</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ItemsPage</name>
        <message>
            <source>Items of two runs</source>
            <translation>两次运行的逐条结果</translation>
        </message>
        <message>
            <source>Choose two runs of one task in Runs, then Show Items.</source>
            <translation>在“运行”中选择同一任务的两次运行，然后选择“显示逐条结果”。</translation>
        </message>
        <message>
            <source>Changed only</source>
            <translation>仅显示变化</translation>
        </message>
        <message>
            <source>Swap</source>
            <translation>交换</translation>
        </message>
        <message>
            <source>Swap the two runs</source>
            <translation>交换两次运行</translation>
        </message>
        <message>
            <source>The two runs have different tasks: their items are not the same.</source>
            <translation>两次运行的任务不同：条目不一致。</translation>
        </message>
        <message>
            <source>One of the runs has no results of single items.</source>
            <translation>其中一次运行没有逐条结果。</translation>
        </message>
        <message>
            <source>both right %1</source>
            <translation>都正确 %1</translation>
        </message>
        <message>
            <source>only %1 right: %2</source>
            <translation>仅 %1 正确：%2</translation>
        </message>
        <message>
            <source>both wrong %1</source>
            <translation>都错误 %1</translation>
        </message>
        <message>
            <source>McNemar&apos;s p &lt; 0.0001</source>
            <translation>McNemar 检验 p &lt; 0.0001</translation>
        </message>
        <message>
            <source>McNemar&apos;s p = %1</source>
            <translation>McNemar 检验 p = %1</translation>
        </message>
        <message numerus="yes">
            <source>%n item(s)</source>
            <translation>
                <numerusform>%n 条</numerusform>
            </translation>
        </message>
        <message>
            <source>changed %1</source>
            <translation>变化 %1</translation>
        </message>
        <message>
            <source>mean difference %1 (%2…%3)</source>
            <translation>平均差异 %1（%2…%3）</translation>
        </message>
        <message>
            <source>significant</source>
            <translation>显著</translation>
        </message>
        <message>
            <source>not significant</source>
            <translation>不显著</translation>
        </message>
        <message>
            <source>%1 in one run only</source>
            <translation>%1 条仅在一次运行中</translation>
        </message>
        <message>
            <source>without texts: %1</source>
            <translation>没有文本：%1</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::JobQueue</name>
        <message>
            <source>The worker failed three times in a row, so the queue is held.</source>
            <translation>工作进程连续失败三次，队列已暂停。</translation>
        </message>
        <message>
            <source>%1 does not know the job: it never arrived, or its answer was removed</source>
            <translation>%1 不知道该任务：它从未到达，或其结果已被删除</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::JobsPane</name>
        <message>
            <source>Jobs</source>
            <translation>作业</translation>
        </message>
        <message>
            <source>No jobs. F5 runs the recipe.</source>
            <translation>没有作业。按 F5 运行配方。</translation>
        </message>
        <message>
            <source>Cancel</source>
            <translation>取消</translation>
        </message>
        <message>
            <source>Force stop</source>
            <translation>强制停止</translation>
        </message>
        <message>
            <source>Retry</source>
            <translation>重试</translation>
        </message>
        <message>
            <source>Remove</source>
            <translation>移除</translation>
        </message>
        <message>
            <source>Show folder</source>
            <translation>显示文件夹</translation>
        </message>
        <message>
            <source>Log</source>
            <translation>日志</translation>
        </message>
        <message>
            <source>Hold queue</source>
            <translation>暂停队列</translation>
        </message>
        <message>
            <source>held</source>
            <translation>已暂停</translation>
        </message>
        <message>
            <source>waiting</source>
            <translation>等待中</translation>
        </message>
        <message>
            <source>running, no sign of life</source>
            <translation>运行中，无响应</translation>
        </message>
        <message>
            <source>running</source>
            <translation>运行中</translation>
        </message>
        <message>
            <source>stopping</source>
            <translation>正在停止</translation>
        </message>
        <message>
            <source>paused</source>
            <translation>已暂停</translation>
        </message>
        <message>
            <source>ending with the best so far</source>
            <translation>正在以目前最佳结果结束</translation>
        </message>
        <message>
            <source>copying to %1</source>
            <translation>正在复制到 %1</translation>
        </message>
        <message>
            <source>comparing files with %1</source>
            <translation>正在与 %1 比对文件</translation>
        </message>
        <message>
            <source>connection to %1 lost; cancelled when it is back: %2</source>
            <translation>与 %1 的连接中断；恢复后取消：%2</translation>
        </message>
        <message>
            <source>connection to %1 lost; it goes on there and is collected: %2</source>
            <translation>与 %1 的连接中断；任务在那里继续，结果稍后取回：%2</translation>
        </message>
        <message>
            <source>not reached yet</source>
            <translation>尚未连接</translation>
        </message>
        <message>
            <source>%1 of %2</source>
            <translation>%1 / %2</translation>
        </message>
        <message>
            <source>Collect now</source>
            <translation>立即取回</translation>
        </message>
        <message>
            <source>Open a sweep</source>
            <translation>打开扫描</translation>
        </message>
        <message>
            <source>Failed runs wait again, and where nobody works on the sweep it goes on</source>
            <translation>失败的运行重新等待；若没有进程在处理该扫描，则继续进行</translation>
        </message>
        <message>
            <source>Off this list; the folder stays, and whoever works on it goes on</source>
            <translation>从列表中移除；文件夹保留，正在处理它的进程继续运行</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::LabelTable</name>
        <message>
            <source>Which label is which class</source>
            <translation>标签与类别的对应</translation>
        </message>
        <message>
            <source>Label in the file</source>
            <translation>文件中的标签</translation>
        </message>
        <message>
            <source>Words for it</source>
            <translation>对应的词语</translation>
        </message>
        <message>
            <source>Class of the model</source>
            <translation>模型的类别</translation>
        </message>
        <message>
            <source>Class of the label %1</source>
            <translation>标签 %1 的类别</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::LayersDelegate</name>
        <message>
            <source>Share to remove, in per cent</source>
            <translation>要移除的比例（百分比）</translation>
        </message>
        <message>
            <source>How the weight is held</source>
            <translation>权重的存储方式</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::LayersPane</name>
        <message>
            <source>Filter of the layers</source>
            <translation>层筛选</translation>
        </message>
        <message>
            <source>filter: name or /regex/</source>
            <translation>筛选：名称或 /正则表达式/</translation>
        </message>
        <message>
            <source>group by block</source>
            <translation>按块分组</translation>
        </message>
        <message>
            <source>Layers</source>
            <translation>层</translation>
        </message>
        <message>
            <source>Open a model to see its layers.</source>
            <translation>打开模型以查看其各层。</translation>
        </message>
        <message>
            <source>This is no regular expression yet.</source>
            <translation>这还不是有效的正则表达式。</translation>
        </message>
        <message>
            <source>paste</source>
            <translation>粘贴</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::LogDialog</name>
        <message>
            <source>Log</source>
            <translation>日志</translation>
        </message>
        <message>
            <source>Log of %1</source>
            <translation>%1 的日志</translation>
        </message>
        <message>
            <source>The worker wrote nothing.</source>
            <translation>工作进程没有输出。</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::MainWindow</name>
        <message>
            <source>Close</source>
            <translation>关闭</translation>
        </message>
        <message>
            <source>Close the notice</source>
            <translation>关闭提示</translation>
        </message>
        <message>
            <source>Pages</source>
            <translation>页面</translation>
        </message>
        <message>
            <source>Pareto</source>
            <translation>帕累托</translation>
        </message>
        <message>
            <source>Compare</source>
            <translation>比较</translation>
        </message>
        <message>
            <source>Recipe</source>
            <translation>配方</translation>
        </message>
        <message>
            <source>Layers</source>
            <translation>层</translation>
        </message>
        <message>
            <source>Runs</source>
            <translation>运行</translation>
        </message>
        <message>
            <source>Jobs</source>
            <translation>作业</translation>
        </message>
        <message>
            <source>Details</source>
            <translation>详情</translation>
        </message>
        <message>
            <source>&amp;File</source>
            <translation>文件(&amp;F)</translation>
        </message>
        <message>
            <source>&amp;Edit</source>
            <translation>编辑(&amp;E)</translation>
        </message>
        <message>
            <source>&amp;Model</source>
            <translation>模型(&amp;M)</translation>
        </message>
        <message>
            <source>Re&amp;cipe</source>
            <translation>配方(&amp;C)</translation>
        </message>
        <message>
            <source>&amp;Run</source>
            <translation>运行(&amp;R)</translation>
        </message>
        <message>
            <source>&amp;View</source>
            <translation>视图(&amp;V)</translation>
        </message>
        <message>
            <source>&amp;Help</source>
            <translation>帮助(&amp;H)</translation>
        </message>
        <message>
            <source>Main toolbar</source>
            <translation>主工具栏</translation>
        </message>
        <message>
            <source>Task</source>
            <translation>任务</translation>
        </message>
        <message>
            <source>Target</source>
            <translation>目标</translation>
        </message>
        <message>
            <source>no recipe</source>
            <translation>无配方</translation>
        </message>
        <message>
            <source>Jobs %1</source>
            <translation>作业 %1</translation>
        </message>
        <message>
            <source>Panes in tabs</source>
            <translation>以标签排列的面板</translation>
        </message>
        <message>
            <source>Quit</source>
            <translation>退出</translation>
        </message>
        <message numerus="yes">
            <source>%n job(s) have not ended.</source>
            <translation>
                <numerusform>有 %n 个作业尚未结束。</numerusform>
            </translation>
        </message>
        <message>
            <source>Cancel jobs and quit</source>
            <translation>取消作业并退出</translation>
        </message>
        <message>
            <source>Stay</source>
            <translation>留下</translation>
        </message>
        <message>
            <source>Items</source>
            <translation>逐条结果</translation>
        </message>
        <message>
            <source>Playground</source>
            <translation>试验台</translation>
        </message>
        <message>
            <source>Data</source>
            <translation>数据</translation>
        </message>
        <message>
            <source>Report</source>
            <translation>报告</translation>
        </message>
        <message>
            <source>Profile</source>
            <translation>剖析</translation>
        </message>
        <message>
            <source>Training</source>
            <translation>训练</translation>
        </message>
        <message>
            <source>Project</source>
            <translation>项目</translation>
        </message>
        <message>
            <source>Scaling</source>
            <translation>扩展性</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ParetoPage</name>
        <message>
            <source>x</source>
            <comment>horizontal axis</comment>
            <translation>x</translation>
        </message>
        <message>
            <source>y</source>
            <comment>vertical axis</comment>
            <translation>y</translation>
        </message>
        <message>
            <source>Metric of the horizontal axis</source>
            <translation>横轴指标</translation>
        </message>
        <message>
            <source>Metric of the vertical axis</source>
            <translation>纵轴指标</translation>
        </message>
        <message>
            <source>log x</source>
            <translation>对数 x</translation>
        </message>
        <message>
            <source>Logarithmic horizontal axis</source>
            <translation>对数横轴</translation>
        </message>
        <message>
            <source>Table</source>
            <translation>表格</translation>
        </message>
        <message>
            <source>Show the values as a table</source>
            <translation>以表格显示数值</translation>
        </message>
        <message>
            <source>Which runs are not shown, and why</source>
            <translation>哪些运行未显示及其原因</translation>
        </message>
        <message numerus="yes">
            <source>%1 of %Ln run(s)</source>
            <translation>
                <numerusform>%1 / %Ln 次运行</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln not comparable ▸</source>
            <translation>
                <numerusform>%Ln 次不可比较 ▸</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln run(s) not comparable: list them</source>
            <translation>
                <numerusform>%Ln 次运行不可比较：列出</numerusform>
            </translation>
        </message>
        <message>
            <source>Nothing measured yet for this task and target.</source>
            <translation>此任务与目标尚无测量结果。</translation>
        </message>
        <message>
            <source>The model is being opened…</source>
            <translation>正在打开模型…</translation>
        </message>
        <message>
            <source>Drop a model folder or a .gguf file here.</source>
            <translation>将模型文件夹或 .gguf 文件拖放到此处。</translation>
        </message>
        <message>
            <source>nothing was evaluated</source>
            <translation>未进行评估</translation>
        </message>
        <message>
            <source>other data for the same task</source>
            <translation>同一任务的不同数据</translation>
        </message>
        <message>
            <source>task: %1</source>
            <translation>任务：%1</translation>
        </message>
        <message>
            <source>another machine</source>
            <translation>另一台机器</translation>
        </message>
        <message>
            <source>target: %1</source>
            <translation>目标：%1</translation>
        </message>
        <message>
            <source>other settings of the task</source>
            <translation>任务的其他设置</translation>
        </message>
        <message>
            <source>#%1 %2 – %3</source>
            <translation>#%1 %2 – %3</translation>
        </message>
        <message numerus="yes">
            <source>and %Ln more</source>
            <translation>
                <numerusform>还有 %Ln 个</numerusform>
            </translation>
        </message>
        <message>
            <source>Logarithmic vertical axis</source>
            <translation>对数纵轴</translation>
        </message>
        <message>
            <source>Show everything</source>
            <translation>显示全部</translation>
        </message>
        <message>
            <source>Zoom back</source>
            <translation>返回上一缩放</translation>
        </message>
        <message>
            <source>Copy image</source>
            <translation>复制图像</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::Playground</name>
        <message>
            <source>No run is selected: only the original is tried.</source>
            <translation>未选择运行：只试用原始模型。</translation>
        </message>
        <message>
            <source>The recipe is empty: only the original is tried.</source>
            <translation>配方为空：只试用原始模型。</translation>
        </message>
        <message>
            <source>The selected run has an empty recipe: only the original is tried.</source>
            <translation>所选运行的配方为空：只试用原始模型。</translation>
        </message>
        <message>
            <source>Only the original is tried: %1</source>
            <translation>只试用原始模型：%1</translation>
        </message>
        <message>
            <source>The machine is measuring: %1. The playground waits for it.</source>
            <translation>本机正在测量：%1。试验台等待其完成。</translation>
        </message>
        <message>
            <source>The worker is busy: %1. The playground waits for it.</source>
            <translation>工作进程正忙：%1。试验台等待其完成。</translation>
        </message>
        <message>
            <source>Jobs are waiting; the playground comes after them.</source>
            <translation>有任务在排队；试验台在其后进行。</translation>
        </message>
        <message>
            <source>Another program measures on this machine: %1. The playground waits for it.</source>
            <translation>另一个程序正在本机测量：%1。试验台等待其完成。</translation>
        </message>
        <message>
            <source>Open a model first.</source>
            <translation>请先打开模型。</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::PlaygroundPage</name>
        <message>
            <source>Open a model to try it on a text of your own.</source>
            <translation>打开模型，用您自己的文本试用。</translation>
        </message>
        <message>
            <source>What is tried</source>
            <translation>试用内容</translation>
        </message>
        <message>
            <source>Recipe of the optimized side</source>
            <translation>优化一侧的配方</translation>
        </message>
        <message>
            <source>Which recipe the optimized side has</source>
            <translation>优化一侧使用哪个配方</translation>
        </message>
        <message>
            <source>Recipe being edited</source>
            <translation>正在编辑的配方</translation>
        </message>
        <message>
            <source>Recipe of the selected run</source>
            <translation>所选运行的配方</translation>
        </message>
        <message>
            <source>Try</source>
            <translation>试用</translation>
        </message>
        <message>
            <source>Stop</source>
            <translation>停止</translation>
        </message>
        <message>
            <source>Original</source>
            <translation>原始</translation>
        </message>
        <message>
            <source>Optimized</source>
            <translation>优化后</translation>
        </message>
        <message>
            <source>Optimized: %1</source>
            <translation>优化后：%1</translation>
        </message>
        <message>
            <source>Force Stop</source>
            <translation>强制停止</translation>
        </message>
        <message>
            <source>Original: %1</source>
            <translation>原始：%1</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::PreferencesDialog</name>
        <message>
            <source>Preferences</source>
            <translation>首选项</translation>
        </message>
        <message>
            <source>Text size</source>
            <translation>文字大小</translation>
        </message>
        <message>
            <source>as the system</source>
            <translation>与系统相同</translation>
        </message>
        <message>
            <source> pt</source>
            <translation> 磅</translation>
        </message>
        <message>
            <source>Time a latency for at least</source>
            <translation>延迟计时至少</translation>
        </message>
        <message>
            <source> s</source>
            <translation> 秒</translation>
        </message>
        <message>
            <source>Time the untouched model again with every run</source>
            <translation>每次运行都重新为原模型计时</translation>
        </message>
        <message>
            <source>Interleaved (A-B-B-A): the ratio is then free of slow changes of the machine</source>
            <translation>交错计时（A-B-B-A）：比值不受机器缓慢变化的影响</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ProfilePage</name>
        <message>
            <source>Layers under their roofs</source>
            <translation>各层与其屋顶线</translation>
        </message>
        <message>
            <source>Step of the model</source>
            <translation>模型的步骤</translation>
        </message>
        <message>
            <source>Profile</source>
            <translation>剖析</translation>
        </message>
        <message>
            <source>Save Timeline…</source>
            <translation>保存时间线…</translation>
        </message>
        <message>
            <source>Writes one pass as a trace file for chrome://tracing or Perfetto</source>
            <translation>将一次推理写成跟踪文件,可用 chrome://tracing 或 Perfetto 打开</translation>
        </message>
        <message>
            <source>The profile is waiting.</source>
            <translation>剖析正在等待。</translation>
        </message>
        <message>
            <source>Profiling: %1</source>
            <translation>正在剖析:%1</translation>
        </message>
        <message>
            <source>The profile failed: %1</source>
            <translation>剖析失败:%1</translation>
        </message>
        <message>
            <source>The profile was stopped.</source>
            <translation>剖析已停止。</translation>
        </message>
        <message>
            <source>Profile shows each layer's time under the machine's measured roofs.</source>
            <translation>剖析显示每层的耗时,以及它与本机实测屋顶线的距离。</translation>
        </message>
        <message>
            <source>%1 ms a step, median of %L2</source>
            <translation>每步 %1 毫秒,%L2 次的中位数</translation>
        </message>
        <message>
            <source>disturbed by other programs</source>
            <translation>受其他程序干扰</translation>
        </message>
        <message>
            <source>Roofs: %1 GB/s over the weights, %2 GB/s of memory, fp32 %3 GFLOP/s, int8 %4 GOP/s</source>
            <translation>屋顶线:读权重 %1 GB/s,读内存 %2 GB/s,fp32 %3 GFLOP/s,int8 %4 GOP/s</translation>
        </message>
        <message>
            <source>hardware counters: not available (%1)</source>
            <translation>硬件计数器:不可用(%1)</translation>
        </message>
        <message>
            <source>a step: %1 cycles, %2 instructions, %3 cache misses</source>
            <translation>每步:%1 个周期,%2 条指令,%3 次缓存未命中</translation>
        </message>
        <message>
            <source>Prompt and first token</source>
            <translation>提示与首个词元</translation>
        </message>
        <message>
            <source>One token</source>
            <translation>单个词元</translation>
        </message>
        <message>
            <source>One pass</source>
            <translation>一次推理</translation>
        </message>
        <message>
            <source>Save Timeline</source>
            <translation>保存时间线</translation>
        </message>
        <message>
            <source>Traces (*.json)</source>
            <translation>跟踪文件 (*.json)</translation>
        </message>
        <message>
            <source>The timeline was not saved</source>
            <translation>时间线未保存</translation>
        </message>
        <message>
            <source>fp16 or bf16 %1 GFLOP/s</source>
            <translation>fp16 或 bf16 %1 GFLOP/s</translation>
        </message>
        <message>
            <source>GPU kernels in the timeline: %L1</source>
            <translation>时间线中的 GPU 内核数：%L1</translation>
        </message>
        <message>
            <source>GPU kernels: not recorded (%1)</source>
            <translation>GPU 内核：未记录（%1）</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::PropertiesDialog</name>
        <message>
            <source>Properties of %1</source>
            <translation>%1 的属性</translation>
        </message>
        <message>
            <source>Path</source>
            <translation>路径</translation>
        </message>
        <message>
            <source>Format</source>
            <translation>格式</translation>
        </message>
        <message>
            <source>Family</source>
            <translation>系列</translation>
        </message>
        <message>
            <source>Blocks</source>
            <translation>块</translation>
        </message>
        <message>
            <source>Width</source>
            <translation>宽度</translation>
        </message>
        <message>
            <source>Vocabulary</source>
            <translation>词表</translation>
        </message>
        <message>
            <source>Parameters</source>
            <translation>参数量</translation>
        </message>
        <message>
            <source>In memory</source>
            <translation>内存占用</translation>
        </message>
        <message>
            <source>Files</source>
            <translation>文件</translation>
        </message>
        <message numerus="yes">
            <source>%n file(s), %1</source>
            <translation>
                <numerusform>%n 个文件，%1</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1: %n layer(s)</source>
            <translation>
                <numerusform>%1：%n 层</numerusform>
            </translation>
        </message>
        <message>
            <source>Types</source>
            <translation>类型</translation>
        </message>
        <message>
            <source>Classes</source>
            <translation>类别</translation>
        </message>
        <message>
            <source>SHA-256</source>
            <translation>SHA-256</translation>
        </message>
        <message>
            <source>being computed</source>
            <translation>正在计算</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::RecipeCommands</name>
        <message>
            <source>%1: %2</source>
            <comment>Undo: the step</comment>
            <translation>%1：%2</translation>
        </message>
        <message>
            <source>there is no step</source>
            <translation>没有可用的步骤</translation>
        </message>
        <message>
            <source>&amp;Undo</source>
            <translation>撤销(&amp;U)</translation>
        </message>
        <message>
            <source>&amp;Redo</source>
            <translation>重做(&amp;R)</translation>
        </message>
        <message>
            <source>preset %1</source>
            <translation>预设 %1</translation>
        </message>
        <message>
            <source>The recipe does not fit</source>
            <translation>配方不适用</translation>
        </message>
        <message numerus="yes">
            <source>%n override(s) match no layer here</source>
            <translation>
                <numerusform>有 %n 个单独设置不匹配此处的任何层</numerusform>
            </translation>
        </message>
        <message>
            <source>The recipe fits this model.</source>
            <translation>配方适用于此模型。</translation>
        </message>
        <message>
            <source>open a model first</source>
            <translation>请先打开模型</translation>
        </message>
        <message>
            <source>the recipe is empty</source>
            <translation>配方为空</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::RecipeDocument</name>
        <message>
            <source>weight sparsity</source>
            <translation>权重稀疏度</translation>
        </message>
        <message>
            <source>heads</source>
            <translation>注意力头</translation>
        </message>
        <message>
            <source>neurons</source>
            <translation>神经元</translation>
        </message>
        <message>
            <source>blocks</source>
            <translation>块</translation>
        </message>
        <message>
            <source>number format</source>
            <translation>数值格式</translation>
        </message>
        <message>
            <source>recipe name</source>
            <translation>配方名称</translation>
        </message>
        <message numerus="yes">
            <source>ratio of %n group(s)</source>
            <translation>
                <numerusform>%n 个组的比例</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>sparsity of %n layer(s)</source>
            <translation>
                <numerusform>%n 层的稀疏度</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>bits of %n layer(s)</source>
            <translation>
                <numerusform>%n 层的位宽</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>removal of %n block(s)</source>
            <translation>
                <numerusform>移除 %n 个块</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>return of %n block(s)</source>
            <translation>
                <numerusform>恢复 %n 个块</numerusform>
            </translation>
        </message>
        <message>
            <source>reset to the whole model</source>
            <translation>重置为整个模型的设置</translation>
        </message>
        <message>
            <source>reset of everything</source>
            <translation>全部重置</translation>
        </message>
        <message>
            <source>opening of %1</source>
            <translation>打开 %1</translation>
        </message>
        <message>
            <source>%1 (edited)</source>
            <translation>%1（已修改）</translation>
        </message>
        <message>
            <source>width</source>
            <translation>宽度</translation>
        </message>
        <message>
            <source>recovery</source>
            <translation>精度恢复</translation>
        </message>
        <message>
            <source>pairs of blocks</source>
            <translation>块配对</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::RecipePane</name>
        <message>
            <source>Preset</source>
            <translation>预设</translation>
        </message>
        <message>
            <source>own settings</source>
            <translation>自定义设置</translation>
        </message>
        <message>
            <source>preset %1</source>
            <translation>预设 %1</translation>
        </message>
        <message>
            <source>%1: method</source>
            <translation>%1：方法</translation>
        </message>
        <message>
            <source>Sets the weights of smallest magnitude to zero. Seconds, needs no data.</source>
            <translation>将幅值最小的权重置零。几秒，不需要数据。</translation>
        </message>
        <message>
            <source>Weighs each weight by what its input usually is (Wanda, Sun et al. 2023). A minute or two: texts run through the model. Better than magnitude from 40 % on.</source>
            <translation>按输入的常见大小衡量每个权重（Wanda，Sun 等 2023）。一两分钟：文本会经过模型。从 40 % 起优于幅值法。</translation>
        </message>
        <message>
            <source>Also corrects the weights that stay (SparseGPT, Frantar and Alistarh 2023). Minutes; the best of the three from 50 % on and for 2:4.</source>
            <translation>还会修正保留的权重（SparseGPT，Frantar 与 Alistarh 2023）。几分钟；从 50 % 起以及 2:4 时三者中最好。</translation>
        </message>
        <message>
            <source>Rebuilds each layer&apos;s output with as few weights as asked, by L1-penalized regression (FISTA, Beck and Teboulle 2009). The slowest; compare it with SparseGPT.</source>
            <translation>用带 L1 惩罚的回归（FISTA，Beck 与 Teboulle 2009）以要求的权重数重建每层的输出。最慢；请与 SparseGPT 比较。</translation>
        </message>
        <message>
            <source>How the weights to set to zero are chosen</source>
            <translation>如何选择要置零的权重</translation>
        </message>
        <message>
            <source>Rounding</source>
            <translation>舍入</translation>
        </message>
        <message>
            <source>to nearest</source>
            <translation>就近</translation>
        </message>
        <message>
            <source>Each weight to its nearest code. Seconds, needs no data.</source>
            <translation>每个权重取最近的编码。几秒，不需要数据。</translation>
        </message>
        <message>
            <source>GPTQ</source>
            <translation>GPTQ</translation>
        </message>
        <message>
            <source>Weights to come make up for the errors of those rounded before (GPTQ, Frantar et al. 2022). Minutes: texts run through the model. Pays at 4 bits.</source>
            <translation>后面的权重补偿先前权重的舍入误差（GPTQ，Frantar 等 2022）。几分钟：文本会经过模型。4 位时值得使用。</translation>
        </message>
        <message>
            <source>GPTQ, important inputs first</source>
            <translation>GPTQ，重要输入优先</translation>
        </message>
        <message>
            <source>The same in the order of what the inputs carry (act order): better, as long.</source>
            <translation>同样的方法，但按输入的重要性排序（act order）：更好，耗时相同。</translation>
        </message>
        <message>
            <source>How weights find their codes</source>
            <translation>权重如何取得编码</translation>
        </message>
        <message>
            <source>%1: share to remove</source>
            <translation>%1：要移除的比例</translation>
        </message>
        <message>
            <source>Bits</source>
            <translation>位宽</translation>
        </message>
        <message>
            <source>Activations</source>
            <translation>激活</translation>
        </message>
        <message>
            <source>as they are</source>
            <translation>保持原样</translation>
        </message>
        <message>
            <source>int8 dynamic</source>
            <translation>int8 动态</translation>
        </message>
        <message>
            <source>open a model first</source>
            <translation>请先打开模型</translation>
        </message>
        <message>
            <source>the model has a single block</source>
            <translation>模型只有一个块</translation>
        </message>
        <message>
            <source>size: –</source>
            <translation>大小：–</translation>
        </message>
        <message>
            <source>%1 → %2</source>
            <comment>size before, after</comment>
            <translation>%1 → %2</translation>
        </message>
        <message>
            <source>%1 → %2</source>
            <comment>parameters before, after</comment>
            <translation>%1 → %2</translation>
        </message>
        <message>
            <source>%1 · %2 parameters</source>
            <comment>bytes, count</comment>
            <translation>%1 · %2 个参数</translation>
        </message>
        <message>
            <source>, %1 of them zero</source>
            <translation>，其中 %1 为零</translation>
        </message>
        <message>
            <source> (which blocks go decides)</source>
            <translation>（取决于移除哪些块）</translation>
        </message>
        <message numerus="yes">
            <source>%n override(s) match no layer here</source>
            <translation>
                <numerusform>有 %n 个单独设置不匹配此处的任何层</numerusform>
            </translation>
        </message>
        <message>
            <source>latency, accuracy: not measured yet</source>
            <translation>延迟、准确率：尚未测量</translation>
        </message>
        <message>
            <source>measured (#%1): %2</source>
            <translation>已测量（#%1）：%2</translation>
        </message>
        <message>
            <source>Inputs stay fp32; weights are widened while they multiply.</source>
            <translation>输入保持 fp32；权重在相乘时展开。</translation>
        </message>
        <message>
            <source>Each token&apos;s inputs are rounded to 8 bits with a scale of their own, products run in integers: the fastest. Needs no data.</source>
            <translation>每个词元的输入用各自的缩放系数舍入为 8 位，乘积以整数计算：最快。不需要数据。</translation>
        </message>
        <message>
            <source>int8 static</source>
            <translation>int8 静态</translation>
        </message>
        <message>
            <source>One scale a layer, found once by running texts through the model (a minute or two). For devices that cannot find scales while they run; larger inputs are cut off.</source>
            <translation>每层一个缩放系数，让文本通过模型一次求得（一两分钟）。用于运行时无法求缩放系数的设备；更大的输入会被截断。</translation>
        </message>
        <message>
            <source>int16 dynamic</source>
            <translation>int16 动态</translation>
        </message>
        <message>
            <source>Each token&apos;s inputs are rounded to 16 bits; products run in fp32. Loses next to nothing and is no faster here: it shows what a 16-bit device would answer.</source>
            <translation>每个词元的输入舍入为 16 位；乘积以 fp32 计算。几乎没有损失，在这里也不更快：它显示 16 位设备会给出的结果。</translation>
        </message>
        <message>
            <source>Key/value cache</source>
            <translation>键/值缓存</translation>
        </message>
        <message>
            <source>Nothing lost, the fastest; 4 bytes a value.</source>
            <translation>没有损失，最快；每个值 4 字节。</translation>
        </message>
        <message>
            <source>Half the bytes, next to nothing lost.</source>
            <translation>字节减半，几乎没有损失。</translation>
        </message>
        <message>
            <source>A good quarter of the bytes, a scale a head and token. Little lost: for long texts.</source>
            <translation>略多于四分之一的字节，每个头和词元一个缩放系数。损失很小：用于长文本。</translation>
        </message>
        <message>
            <source>A sixth of the bytes, a scale every 32 values. Costs quality that perplexity shows: for the longest texts.</source>
            <translation>六分之一的字节，每 32 个值一个缩放系数。质量有损失，困惑度可见：用于最长的文本。</translation>
        </message>
        <message>
            <source>Activations are rounded while the model runs</source>
            <translation>模型运行时将激活舍入</translation>
        </message>
        <message>
            <source>needs int8, int4 or int16 weights</source>
            <translation>需要 int8、int4 或 int16 权重</translation>
        </message>
        <message>
            <source>needs integer weights</source>
            <translation>需要整数权重</translation>
        </message>
        <message>
            <source>for models that generate text: decoders and encoder-decoder models</source>
            <translation>用于生成文本的模型：解码器和编码器-解码器模型</translation>
        </message>
        <message>
            <source>choose bits first; fp32 leaves the weights as they are</source>
            <translation>请先选择位数；fp32 让权重保持原样</translation>
        </message>
        <message>
            <source>What keys and values are held in while text is made or scored</source>
            <translation>生成或评分文本时，键和值以什么格式保存</translation>
        </message>
        <message>
            <source>Removes those with the smallest L1 norm. Seconds, needs no data.</source>
            <translation>移除 L1 范数最小者。数秒,不需要数据。</translation>
        </message>
        <message>
            <source>How those to remove are chosen, and what the others do about it</source>
            <translation>如何选择要移除的部分,以及其余部分如何补偿</translation>
        </message>
        <message>
            <source>L1, least squares</source>
            <translation>L1,最小二乘</translation>
        </message>
        <message>
            <source>The same choice; what is kept then makes up for what is gone, by least squares on the layer&apos;s output. A minute or two: texts run through the model.</source>
            <translation>选择方式相同;保留的部分随后在该层输出上用最小二乘补偿被移除的部分。一两分钟:文本会通过模型。</translation>
        </message>
        <message>
            <source>fluctuation (FLAP)</source>
            <translation>波动(FLAP)</translation>
        </message>
        <message>
            <source>Removes those whose activations vary least, weighed by the weights that read them (FLAP, An et al. 2023), with least squares for the rest. A minute or two.</source>
            <translation>移除激活变化最小者,按读取它们的权重加权(FLAP,An 等 2023),其余部分用最小二乘补偿。一两分钟。</translation>
        </message>
        <message>
            <source>Removes one after the other, each time the one whose loss the others can make up for best (ZipLM, Kurtic et al. 2023). Minutes; the best of the four.</source>
            <translation>逐个移除,每次选择其余部分最能补偿的一个(ZipLM,Kurtic 等 2023)。数分钟;四种方法中最好。</translation>
        </message>
        <message>
            <source>Removes the blocks that change least what passes through them (ShortGPT, Men et al. 2024). A minute: texts run through the model.</source>
            <translation>移除对通过内容改变最小的块(ShortGPT,Men 等 2024)。一分钟:文本会通过模型。</translation>
        </message>
        <message>
            <source>SignRound</source>
            <translation>SignRound</translation>
        </message>
        <message>
            <source>Learns for each weight whether it goes up or down (SignRound, Cheng et al. 2023). The slowest; pays at 3 and 2 bits.</source>
            <translation>为每个权重学习向上还是向下舍入(SignRound,Cheng 等 2023)。最慢;在 3 位和 2 位时值得。</translation>
        </message>
        <message>
            <source>Pattern of the weights</source>
            <translation>权重的模式</translation>
        </message>
        <message>
            <source>anywhere</source>
            <translation>任意位置</translation>
        </message>
        <message>
            <source>Every layer loses the same share, wherever its least important weights are. In fp32 a processor with AVX-512 is faster from about 70 % zeros on; the run says what it measured.</source>
            <translation>每一层失去相同比例,不论其最不重要的权重在哪里。fp32 下,带 AVX-512 的处理器在约 70 % 为零时开始变快;运行结果会说明实测值。</translation>
        </message>
        <message>
            <source>anywhere, one threshold</source>
            <translation>任意位置,统一阈值</translation>
        </message>
        <message>
            <source>One threshold of magnitude for all layers: some lose more than others. Goes with the method magnitude.</source>
            <translation>所有层共用一个幅值阈值:有些层失去得更多。与幅值方法一起使用。</translation>
        </message>
        <message>
            <source>anywhere, by outliers</source>
            <translation>任意位置,按离群值</translation>
        </message>
        <message>
            <source>Blocks with more outlying weights keep more (OWL, Yin et al. 2023). Pays from 60 % on; a minute: texts run through the model.</source>
            <translation>离群权重较多的块保留更多(OWL,Yin 等 2023)。从 60 % 起值得;一分钟:文本会通过模型。</translation>
        </message>
        <message>
            <source>2 of 4</source>
            <translation>4 取 2</translation>
        </message>
        <message>
            <source>Of every four inputs of an output two stay: what GPUs with sparse units run fast.</source>
            <translation>每个输出的每四个输入保留两个:带稀疏单元的 GPU 可快速运行。</translation>
        </message>
        <message>
            <source>4 of 8</source>
            <translation>8 取 4</translation>
        </message>
        <message>
            <source>Of every eight inputs of an output four stay: loses less than 2 of 4.</source>
            <translation>每个输出的每八个输入保留四个:损失小于 4 取 2。</translation>
        </message>
        <message>
            <source>tiles 1 × 4</source>
            <translation>1 × 4 小块</translation>
        </message>
        <message>
            <source>Four neighbouring inputs of an output fall together.</source>
            <translation>一个输出的四个相邻输入一起移除。</translation>
        </message>
        <message>
            <source>tiles 4 × 1</source>
            <translation>4 × 1 小块</translation>
        </message>
        <message>
            <source>Four neighbouring outputs of an input fall together.</source>
            <translation>一个输入的四个相邻输出一起移除。</translation>
        </message>
        <message>
            <source>tiles 1 × 16</source>
            <translation>1 × 16 小块</translation>
        </message>
        <message>
            <source>Sixteen neighbouring inputs of an output fall together.</source>
            <translation>一个输出的十六个相邻输入一起移除。</translation>
        </message>
        <message>
            <source>tiles 4 × 4</source>
            <translation>4 × 4 小块</translation>
        </message>
        <message>
            <source>Four outputs by four inputs fall together.</source>
            <translation>四个输出乘四个输入一起移除。</translation>
        </message>
        <message>
            <source>tiles 16 × 4</source>
            <translation>16 × 4 小块</translation>
        </message>
        <message>
            <source>Sixteen outputs by four inputs fall together: the fastest to leave out, in fp32 and in int8, and the hardest on accuracy.</source>
            <translation>十六个输出乘四个输入一起移除:fp32 和 int8 下跳过最快,对准确率影响最大。</translation>
        </message>
        <message>
            <source>Pattern</source>
            <translation>模式</translation>
        </message>
        <message>
            <source>pattern of the weights</source>
            <translation>权重的模式</translation>
        </message>
        <message>
            <source>Preparation</source>
            <translation>预处理</translation>
        </message>
        <message>
            <source>none</source>
            <translation>无</translation>
        </message>
        <message>
            <source>Weights are rounded as they are.</source>
            <translation>权重按原样舍入。</translation>
        </message>
        <message>
            <source>AWQ</source>
            <translation>AWQ</translation>
        </message>
        <message>
            <source>Weights that loud inputs meet are scaled up before rounding, and the scales folded into what stands before (Lin et al. 2023). Minutes; for 4 bits and fewer. Works where norms stand before the layers: decoders.</source>
            <translation>与大输入相乘的权重在舍入前被放大,缩放系数并入前面的部分(Lin 等 2023)。数分钟;用于 4 位及以下。适用于归一化在层之前的模型:解码器。</translation>
        </message>
        <message>
            <source>AWQ with clipping</source>
            <translation>AWQ 加裁剪</translation>
        </message>
        <message>
            <source>The same, and each group&apos;s range is cut where that loses least. Rounding to nearest only.</source>
            <translation>同上,并在损失最小处裁剪每组的范围。仅用于就近舍入。</translation>
        </message>
        <message>
            <source>SmoothQuant</source>
            <translation>SmoothQuant</translation>
        </message>
        <message>
            <source>Moves outliers from the inputs into the weights, so that both round well to 8 bits (Xiao et al. 2022); how far is searched for each layer. A minute or two; for int8 activations.</source>
            <translation>把输入中的离群值移到权重中,使两者都能很好地舍入到 8 位(Xiao 等 2022);每层自动搜索程度。一两分钟;用于 int8 激活。</translation>
        </message>
        <message>
            <source>rotation (QuaRot)</source>
            <translation>旋转(QuaRot)</translation>
        </message>
        <message>
            <source>Turns the model&apos;s hidden states so that outliers spread over all of them (Ashkboos et al. 2024). Seconds, needs no data; a shared output head becomes a weight of its own. Llama, Mistral, Qwen.</source>
            <translation>旋转模型的隐藏状态,使离群值分散到所有维度(Ashkboos 等 2024)。数秒,不需要数据;共享的输出头将变为独立权重。Llama、Mistral、Qwen。</translation>
        </message>
        <message>
            <source>What happens before weights are rounded</source>
            <translation>权重舍入之前的处理</translation>
        </message>
        <message>
            <source>Which weights may fall</source>
            <translation>哪些权重可以移除</translation>
        </message>
        <message>
            <source>Weighs what the model&apos;s answers lose, by the Fisher information of its gradients, and corrects the weights that stay (oBERT, Kurtic et al. 2022). Minutes for an encoder, hours for a decoder.</source>
            <translation>按模型梯度的 Fisher 信息衡量模型输出的损失，并修正留下的权重（oBERT，Kurtic 等 2022）。编码器需数分钟，解码器需数小时。</translation>
        </message>
        <message>
            <source>Turns the hidden state into its principal axes and drops those that hold least (SliceGPT, Ashkboos et al. 2024). A minute: texts run through the model.</source>
            <translation>把隐藏状态旋转到其主轴，并去掉信息最少的轴（SliceGPT，Ashkboos 等 2024）。约一分钟：文本会经过模型。</translation>
        </message>
        <message>
            <source>How the channels of the hidden state to remove are chosen</source>
            <translation>如何选择要去掉的隐藏状态通道</translation>
        </message>
        <message>
            <source>Removes those without which the model&apos;s loss changes least, to first order (Molchanov et al. 2019). A minute for an encoder, longer for a decoder: gradients are found.</source>
            <translation>去掉一阶近似下对模型损失影响最小的单元（Molchanov 等 2019）。编码器约一分钟，解码器更久：需要求梯度。</translation>
        </message>
        <message>
            <source>only decoders with RMSNorm before their sublayers (Llama, Mistral, Qwen) let their hidden state be turned and cut</source>
            <translation>只有在子层之前使用 RMSNorm 的解码器（Llama、Mistral、Qwen）才能旋转并裁剪隐藏状态</translation>
        </message>
        <message>
            <source>magnitude, least squares</source>
            <translation>幅值，最小二乘</translation>
        </message>
        <message>
            <source>The same choice as magnitude; the weights that stay then make up for what is gone, by least squares on each layer's output (ADMM, Boža 2024). Minutes: texts run through the model.</source>
            <translation>选择方式与幅值相同；随后保留的权重按各层输出的最小二乘弥补去掉的部分（ADMM，Boža，2024）。需要几分钟：要让文本通过模型。</translation>
        </message>
        <message>
            <source>Wanda, least squares</source>
            <translation>Wanda，最小二乘</translation>
        </message>
        <message>
            <source>The same choice as Wanda, and the same adjustment of the weights that stay. Minutes.</source>
            <translation>选择方式与 Wanda 相同，保留的权重也做同样的调整。需要几分钟。</translation>
        </message>
        <message>
            <source>While the model is trained (see Recover), a few more of the smallest weights fall at each step, on a cubic schedule (Zhu and Gupta 2017). Better than all at once from 60 % on; as long as the training.</source>
            <translation>在模型训练期间（见“恢复”），每一步按三次曲线再去掉一些最小的权重（Zhu 和 Gupta，2017）。从 60 % 起优于一次性剪枝；耗时与训练相同。</translation>
        </message>
        <message>
            <source>While the model is trained, those weights stay that the training moves away from zero, by scores that it learns (Sanh et al. 2020). For models that learn a new task, at 80 % and more.</source>
            <translation>在模型训练期间，按学到的分数保留训练使其远离零的权重（Sanh 等，2020）。适合学习新任务的模型，比例在 80 % 以上时。</translation>
        </message>
        <message>
            <source>The same with one threshold for all layers, under a penalty that grows until the share is reached: some layers lose more than others.</source>
            <translation>同上，但所有层共用一个阈值，惩罚不断增大直到达到比例：有些层去掉得更多。</translation>
        </message>
        <message>
            <source>While the model is trained, an L1 penalty pulls all weights towards zero by proximal steps, as hard as the share asks for; whole tiles by their norm (group lasso).</source>
            <translation>在模型训练期间，L1 惩罚以近端步骤将所有权重拉向零，强度由比例决定；整块则按其范数（group lasso）。</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ReportPage</name>
        <message>
            <source>Compression report</source>
            <translation>压缩报告</translation>
        </message>
        <message>
            <source>Darker is worse within a column. Details shows the values of the chosen layer.</source>
            <translation>同一列中颜色越深越差。“详情”显示所选层的数值。</translation>
        </message>
        <message>
            <source>Chosen layers:</source>
            <translation>所选层:</translation>
        </message>
        <message>
            <source>Format for the chosen layers</source>
            <translation>所选层的格式</translation>
        </message>
        <message>
            <source>Set in Recipe</source>
            <translation>写入配方</translation>
        </message>
        <message>
            <source>Gives the layers chosen in the table this format in the recipe, whatever the recipe says of the model</source>
            <translation>在配方中为表中所选的层设置此格式,不论配方对整个模型的设置</translation>
        </message>
        <message>
            <source>Choose a run to see what compressing did to its layers.</source>
            <translation>选择一次运行,查看压缩对各层的影响。</translation>
        </message>
        <message>
            <source>This run has no figures per layer.</source>
            <translation>此运行没有逐层数据。</translation>
        </message>
        <message>
            <source>Run #%1: %2</source>
            <translation>运行 #%1:%2</translation>
        </message>
        <message>
            <source>calibrated on %L1 samples, %L2 tokens</source>
            <translation>用 %L1 个样本、%L2 个词元校准</translation>
        </message>
        <message>
            <source>compressed in %1</source>
            <translation>压缩用时 %1</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::RunCommands</name>
        <message>
            <source>Measuring is off: %1</source>
            <translation>无法测量：%1</translation>
        </message>
        <message>
            <source>Runs can be looked at but not stored: %1</source>
            <translation>可以查看运行，但无法保存：%1</translation>
        </message>
        <message>
            <source>recipe of #%1</source>
            <translation>#%1 的配方</translation>
        </message>
        <message>
            <source>The recipe cannot be used</source>
            <translation>无法使用此配方</translation>
        </message>
        <message>
            <source>The command line was copied.</source>
            <translation>命令行已复制。</translation>
        </message>
        <message>
            <source>open a model first</source>
            <translation>请先打开模型</translation>
        </message>
        <message>
            <source>runs cannot be stored</source>
            <translation>无法保存运行</translation>
        </message>
        <message>
            <source>no job is running</source>
            <translation>没有正在运行的作业</translation>
        </message>
        <message>
            <source>choose a run first</source>
            <translation>请先选择一次运行</translation>
        </message>
        <message>
            <source>only a finished run can be the baseline</source>
            <translation>只有已完成的运行才能作为基线</translation>
        </message>
        <message>
            <source>Un&amp;pin the Baseline</source>
            <translation>取消固定基线(&amp;P)</translation>
        </message>
        <message>
            <source>&amp;Pin as Baseline</source>
            <translation>固定为基线(&amp;P)</translation>
        </message>
        <message>
            <source>The sweep could not be made</source>
            <translation>无法创建扫描</translation>
        </message>
        <message>
            <source>Open a sweep: the folder with its sweep.json</source>
            <translation>打开扫描：含有 sweep.json 的文件夹</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::Runner</name>
        <message>
            <source>open a model first</source>
            <translation>请先打开模型</translation>
        </message>
        <message>
            <source>Baseline</source>
            <translation>基线</translation>
        </message>
        <message>
            <source>%1: changes nothing on this model</source>
            <translation>%1：对此模型不作任何改变</translation>
        </message>
        <message>
            <source>%1 (%2)</source>
            <comment>name of a recipe, number</comment>
            <translation>%1（%2）</translation>
        </message>
        <message>
            <source>Profile</source>
            <translation>剖析</translation>
        </message>
        <message>
            <source>Profile: %1</source>
            <translation>剖析:%1</translation>
        </message>
        <message>
            <source>a sweep is worked on here or by Slurm: choose this machine as the target, or take the queue</source>
            <translation>扫描只在本机或由 Slurm 处理：请将目标选为本机，或改用队列</translation>
        </message>
        <message>
            <source>Scaling</source>
            <translation>扩展性</translation>
        </message>
        <message>
            <source>Scaling: %1</source>
            <translation>扩展性：%1</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::RunsPane</name>
        <message>
            <source>Remove deleted runs</source>
            <translation>移除已删除的运行</translation>
        </message>
        <message numerus="yes">
            <source>Remove %Ln deleted run(s) for ever? This cannot be undone.</source>
            <translation>
                <numerusform>永久移除 %Ln 次已删除的运行？此操作无法撤销。</numerusform>
            </translation>
        </message>
        <message>
            <source>Remove</source>
            <translation>移除</translation>
        </message>
        <message>
            <source>Keep</source>
            <translation>保留</translation>
        </message>
        <message>
            <source>Stored runs</source>
            <translation>已保存的运行</translation>
        </message>
        <message>
            <source>Filter</source>
            <translation>筛选</translation>
        </message>
        <message>
            <source>Filter runs</source>
            <translation>筛选运行</translation>
        </message>
        <message>
            <source>Words that must occur in name, model, recipe, task, target or note</source>
            <translation>必须出现在名称、模型、配方、任务、目标或备注中的词</translation>
        </message>
        <message>
            <source>This model</source>
            <translation>此模型</translation>
        </message>
        <message>
            <source>Only runs of the open model</source>
            <translation>仅当前模型的运行</translation>
        </message>
        <message>
            <source>Comparable</source>
            <translation>可比较</translation>
        </message>
        <message>
            <source>Only runs comparable with one started now</source>
            <translation>仅与现在启动的运行可比较者</translation>
        </message>
        <message>
            <source>Deleted</source>
            <translation>已删除</translation>
        </message>
        <message>
            <source>Deleted runs, until they are removed</source>
            <translation>已删除但尚未移除的运行</translation>
        </message>
        <message>
            <source>Restore</source>
            <translation>恢复</translation>
        </message>
        <message>
            <source>Bring the selected runs back</source>
            <translation>恢复所选运行</translation>
        </message>
        <message>
            <source>Remove…</source>
            <translation>移除…</translation>
        </message>
        <message>
            <source>Remove all deleted runs for ever</source>
            <translation>永久移除所有已删除的运行</translation>
        </message>
        <message>
            <source>Undo</source>
            <translation>撤销</translation>
        </message>
        <message>
            <source>Bring the deleted runs back</source>
            <translation>恢复已删除的运行</translation>
        </message>
        <message>
            <source>Close</source>
            <translation>关闭</translation>
        </message>
        <message>
            <source>Close this bar</source>
            <translation>关闭此栏</translation>
        </message>
        <message>
            <source>No deleted runs.</source>
            <translation>没有已删除的运行。</translation>
        </message>
        <message>
            <source>No run passes the filter.</source>
            <translation>没有运行符合筛选条件。</translation>
        </message>
        <message>
            <source>Every run is kept here, also those of the command line.</source>
            <translation>所有运行都保存在这里，包括命令行的运行。</translation>
        </message>
        <message>
            <source>Rename</source>
            <translation>重命名</translation>
        </message>
        <message>
            <source>Edit note</source>
            <translation>编辑备注</translation>
        </message>
        <message>
            <source>Copy as table</source>
            <translation>复制为表格</translation>
        </message>
        <message numerus="yes">
            <source>Deleted %Ln run(s)</source>
            <translation>
                <numerusform>已删除 %Ln 次运行</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::SamplingForm</name>
        <message>
            <source>How text is generated</source>
            <translation>文本如何生成</translation>
        </message>
        <message>
            <source>At most tokens</source>
            <translation>最多词元</translation>
        </message>
        <message>
            <source>Temperature</source>
            <translation>温度</translation>
        </message>
        <message>
            <source>greedy</source>
            <translation>贪心</translation>
        </message>
        <message>
            <source>Top-k</source>
            <translation>Top-k</translation>
        </message>
        <message>
            <source>off</source>
            <translation>关</translation>
        </message>
        <message>
            <source>Top-p</source>
            <translation>Top-p</translation>
        </message>
        <message>
            <source>Min-p</source>
            <translation>Min-p</translation>
        </message>
        <message>
            <source>Repetition penalty</source>
            <translation>重复惩罚</translation>
        </message>
        <message>
            <source>Seed</source>
            <translation>随机种子</translation>
        </message>
        <message>
            <source>Stop texts</source>
            <translation>停止文本</translation>
        </message>
        <message>
            <source>The text ends before any of these; several are separated by |. \n stands for a line break.</source>
            <translation>文本在遇到其中任意一个之前结束；多个用 | 分隔。\n 表示换行。</translation>
        </message>
        <message>
            <source>Stop at</source>
            <translation>停止于</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ShortcutsDialog</name>
        <message>
            <source>Shortcuts</source>
            <translation>快捷键</translation>
        </message>
        <message>
            <source>Commands and their keys</source>
            <translation>命令及其按键</translation>
        </message>
        <message>
            <source>Command</source>
            <translation>命令</translation>
        </message>
        <message>
            <source>Keys</source>
            <translation>按键</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::SideViews</name>
        <message>
            <source>Answer of the original model</source>
            <translation>原始模型的回答</translation>
        </message>
        <message>
            <source>Answer of the optimized model</source>
            <translation>优化模型的回答</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::Sweeps</name>
        <message>
            <source>it ended with code %1</source>
            <translation>它以代码 %1 结束</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::SweepDialog</name>
        <message>
            <source>Runs of the sweep</source>
            <translation>扫描的各次运行</translation>
        </message>
        <message>
            <source>Run</source>
            <translation>运行</translation>
        </message>
        <message>
            <source>Recipe</source>
            <translation>配方</translation>
        </message>
        <message>
            <source>State</source>
            <translation>状态</translation>
        </message>
        <message>
            <source>Result</source>
            <translation>结果</translation>
        </message>
        <message>
            <source>Log</source>
            <translation>日志</translation>
        </message>
        <message>
            <source>Sweep %1</source>
            <translation>扫描 %1</translation>
        </message>
        <message>
            <source>No process of this machine wrote anything.</source>
            <translation>本机没有进程写入任何内容。</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::StatusLine</name>
        <message>
            <source>Progress of the running job</source>
            <translation>当前作业的进度</translation>
        </message>
        <message>
            <source>%1 left</source>
            <translation>剩余 %1</translation>
        </message>
        <message>
            <source>worker: starting</source>
            <translation>工作进程：正在启动</translation>
        </message>
        <message>
            <source>worker: busy</source>
            <translation>工作进程：忙</translation>
        </message>
        <message>
            <source>worker: busy, %1</source>
            <translation>工作进程：忙，%1</translation>
        </message>
        <message>
            <source>worker: ready</source>
            <translation>工作进程：就绪</translation>
        </message>
        <message>
            <source>worker: ready, %1</source>
            <translation>工作进程：就绪，%1</translation>
        </message>
        <message numerus="yes">
            <source>%n run(s)</source>
            <translation>
                <numerusform>%n 次运行</numerusform>
            </translation>
        </message>
        <message>
            <source>(read only)</source>
            <translation>（只读）</translation>
        </message>
        <message>
            <source>Retry</source>
            <translation>重试</translation>
        </message>
        <message>
            <source>Exported to %1 · %2</source>
            <comment>folder, outcome</comment>
            <translation>已导出到 %1 · %2</translation>
        </message>
        <message>
            <source>Show folder</source>
            <translation>显示文件夹</translation>
        </message>
        <message>
            <source>worker: not running</source>
            <translation>工作进程：未运行</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::TablePanel</name>
        <message>
            <source>Query</source>
            <translation>查询</translation>
        </message>
        <message>
            <source>Text to try</source>
            <translation>试用的文本</translation>
        </message>
        <message>
            <source>Passage</source>
            <translation>段落</translation>
        </message>
        <message>
            <source>The passage that may answer it.</source>
            <translation>可能回答它的段落。</translation>
        </message>
        <message>
            <source>Beams</source>
            <translation>束数</translation>
        </message>
        <message>
            <source>At most tokens</source>
            <translation>最多词元</translation>
        </message>
        <message>
            <source>Answers of both sides</source>
            <translation>两侧的回答</translation>
        </message>
        <message>
            <source>A question or a search.</source>
            <translation>一个问题或一次搜索。</translation>
        </message>
        <message>
            <source>One text a line; at least two are compared.</source>
            <translation>每行一条文本；至少比较两条。</translation>
        </message>
        <message>
            <source>One text a line.</source>
            <translation>每行一条文本。</translation>
        </message>
        <message>
            <source>A text with [MASK] or &lt;mask&gt; where a word is to be found.</source>
            <translation>一段文本，用 [MASK] 或 &lt;mask&gt; 标出要填的词。</translation>
        </message>
        <message>
            <source>A text of your own. Ctrl+Enter tries it.</source>
            <translation>您自己的文本。按 Ctrl+Enter 试用。</translation>
        </message>
        <message>
            <source>Type a query and a passage.</source>
            <translation>请输入查询和段落。</translation>
        </message>
        <message>
            <source>Type a text.</source>
            <translation>请输入文本。</translation>
        </message>
        <message>
            <source>Type at least two texts, one a line.</source>
            <translation>请至少输入两条文本，每行一条。</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::TargetChooser</name>
        <message>
            <source>Device</source>
            <translation>设备</translation>
        </message>
        <message>
            <source>Threads</source>
            <translation>线程</translation>
        </message>
        <message>
            <source>Processes a block (tp)</source>
            <translation>每块进程数 (tp)</translation>
        </message>
        <message>
            <source>Tensor parallel: so many processes share each block&apos;s heads and neurons</source>
            <translation>张量并行：由这么多进程分担每个块的注意力头和神经元</translation>
        </message>
        <message>
            <source>Stages (pp)</source>
            <translation>阶段数 (pp)</translation>
        </message>
        <message>
            <source>Pipeline parallel: the blocks lie in so many stages, each with processes of its own</source>
            <translation>流水线并行：各块分布在这么多阶段中，每个阶段有自己的进程</translation>
        </message>
        <message>
            <source>Batch</source>
            <translation>批大小</translation>
        </message>
        <message>
            <source>Tokens per item</source>
            <translation>每条词元数</translation>
        </message>
        <message>
            <source>Tokens of the prompt</source>
            <translation>提示词元数</translation>
        </message>
        <message>
            <source>Tokens generated</source>
            <translation>生成词元数</translation>
        </message>
        <message>
            <source>CPU</source>
            <translation>CPU</translation>
        </message>
        <message>
            <source>Target: %1</source>
            <translation>目标：%1</translation>
        </message>
        <message>
            <source>Where runs are measured: device, threads, batch × tokens</source>
            <translation>运行的测量位置：设备、线程、批大小 × 词元数</translation>
        </message>
        <message>
            <source>GPUs: not known until the worker has started</source>
            <translation>GPU：工作进程启动后才知道</translation>
        </message>
        <message>
            <source>GPUs: the worker found none that libtorch can use</source>
            <translation>GPU：工作进程未找到 libtorch 可用的 GPU</translation>
        </message>
        <message>
            <source>cuda:0 (cannot be used)</source>
            <translation>cuda:0（无法使用）</translation>
        </message>
        <message>
            <source>Machine</source>
            <translation>机器</translation>
        </message>
        <message>
            <source>Edit…</source>
            <translation>编辑…</translation>
        </message>
        <message>
            <source>Settings of the machine</source>
            <translation>机器的设置</translation>
        </message>
        <message>
            <source>This machine</source>
            <translation>本机</translation>
        </message>
        <message>
            <source>Another machine…</source>
            <translation>其他机器…</translation>
        </message>
        <message>
            <source>%1 is being reached…</source>
            <translation>正在连接 %1…</translation>
        </message>
        <message>
            <source>%1 has not been reached yet</source>
            <translation>尚未连接 %1</translation>
        </message>
        <message>
            <source>Replicas (dp)</source>
            <translation>副本（dp）</translation>
        </message>
        <message>
            <source>Data parallel: so many processes have the whole model and a batch each; rates count them all</source>
            <translation>数据并行：这么多进程各有整个模型和一个批次；速率合计全部进程</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::TaskCatalogue</name>
        <message numerus="yes">
            <source>%n row(s)</source>
            <translation>
                <numerusform>%n 行</numerusform>
            </translation>
        </message>
        <message>
            <source>open a model first</source>
            <translation>请先打开模型</translation>
        </message>
        <message>
            <source>its data is not on this machine; ./dev setup fetches it</source>
            <translation>本机没有其数据；./dev setup 可获取</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::TaskChooser</name>
        <message>
            <source>none: latency only</source>
            <translation>无：仅测延迟</translation>
        </message>
        <message>
            <source>Task: %1</source>
            <translation>任务：%1</translation>
        </message>
        <message>
            <source>Measured with the data of %1</source>
            <translation>使用 %1 的数据测量</translation>
        </message>
        <message>
            <source>Without a task only latency and size are measured</source>
            <translation>没有任务时只测量延迟和大小</translation>
        </message>
        <message>
            <source>%1 (%2)</source>
            <comment>task, why it cannot be chosen</comment>
            <translation>%1（%2）</translation>
        </message>
        <message>
            <source>Use my own data…</source>
            <translation>使用自己的数据…</translation>
        </message>
        <message>
            <source>Rows</source>
            <translation>行数</translation>
        </message>
        <message>
            <source>all</source>
            <translation>全部</translation>
        </message>
        <message>
            <source>%1 …</source>
            <comment>number of rows</comment>
            <translation>%1 …</translation>
        </message>
        <message>
            <source>Other number…</source>
            <translation>其他数量…</translation>
        </message>
        <message>
            <source>How many rows are evaluated, drawn with the task&apos;s seed:</source>
            <translation>用任务的随机种子抽取多少行进行评估：</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::TaskForm</name>
        <message>
            <source>Text</source>
            <translation>文本</translation>
        </message>
        <message>
            <source>Second text</source>
            <translation>第二文本</translation>
        </message>
        <message>
            <source>Label</source>
            <translation>标签</translation>
        </message>
        <message>
            <source>Words</source>
            <translation>词</translation>
        </message>
        <message>
            <source>Tags</source>
            <translation>标注</translation>
        </message>
        <message>
            <source>Choices</source>
            <translation>选项</translation>
        </message>
        <message>
            <source>Context</source>
            <translation>上下文</translation>
        </message>
        <message>
            <source>Question</source>
            <translation>问题</translation>
        </message>
        <message>
            <source>Answers</source>
            <translation>答案</translation>
        </message>
        <message>
            <source>Source</source>
            <translation>原文</translation>
        </message>
        <message>
            <source>Reference</source>
            <translation>参考文本</translation>
        </message>
        <message>
            <source>Messages</source>
            <translation>消息</translation>
        </message>
        <message>
            <source>Score</source>
            <translation>分数</translation>
        </message>
        <message>
            <source>Kind of task</source>
            <translation>任务类型</translation>
        </message>
        <message>
            <source>Name</source>
            <translation>名称</translation>
        </message>
        <message>
            <source>Columns</source>
            <translation>列</translation>
        </message>
        <message>
            <source>Classes</source>
            <translation>类别</translation>
        </message>
        <message>
            <source>Prompt</source>
            <translation>提示词</translation>
        </message>
        <message>
            <source>Template with the columns&apos; roles in braces, as in {text}</source>
            <translation>模板，用花括号写列的角色，如 {text}</translation>
        </message>
        <message>
            <source>Split</source>
            <translation>划分</translation>
        </message>
        <message>
            <source>Rows</source>
            <translation>行数</translation>
        </message>
        <message>
            <source>all rows</source>
            <translation>所有行</translation>
        </message>
        <message>
            <source>Seed</source>
            <translation>随机种子</translation>
        </message>
        <message>
            <source>Longest text, tokens</source>
            <translation>文本最长（词元）</translation>
        </message>
        <message>
            <source>Window, tokens</source>
            <translation>窗口（词元）</translation>
        </message>
        <message>
            <source>Protocol</source>
            <translation>协议</translation>
        </message>
        <message>
            <source>GPTQ: windows side by side</source>
            <translation>GPTQ：窗口相邻</translation>
        </message>
        <message>
            <source>llama.cpp: second halves</source>
            <translation>llama.cpp：后半部分</translation>
        </message>
        <message>
            <source>Strided: windows overlap</source>
            <translation>滑动：窗口重叠</translation>
        </message>
        <message>
            <source>Overlap of windows, tokens</source>
            <translation>窗口重叠（词元）</translation>
        </message>
        <message>
            <source>At most tokens</source>
            <translation>最多词元</translation>
        </message>
        <message>
            <source>Beams</source>
            <translation>束数</translation>
        </message>
        <message>
            <source>%1 (%2)</source>
            <comment>kind of task, why it cannot be chosen</comment>
            <translation>%1（%2）</translation>
        </message>
        <message>
            <source>Column: %1</source>
            <translation>列：%1</translation>
        </message>
        <message>
            <source>none</source>
            <translation>无</translation>
        </message>
        <message>
            <source>Choose a column: %1.</source>
            <translation>请选择列：%1。</translation>
        </message>
        <message>
            <source>%1 and %2 must be different columns.</source>
            <translation>%1 与 %2 必须是不同的列。</translation>
        </message>
        <message>
            <source>Choose a file or a folder.</source>
            <translation>请选择文件或文件夹。</translation>
        </message>
        <message>
            <source>Give the task a name.</source>
            <translation>请为任务命名。</translation>
        </message>
        <message>
            <source>This kind of task is read from: %1.</source>
            <translation>此类任务可从以下格式读取：%1。</translation>
        </message>
        <message>
            <source>This column has too many different values to be a label.</source>
            <translation>此列的不同值太多，不能作为标签。</translation>
        </message>
        <message>
            <source>It does not fit the model: %1.</source>
            <translation>不适用于此模型：%1。</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ViewCommands</name>
        <message>
            <source>&amp;System</source>
            <translation>系统(&amp;S)</translation>
        </message>
        <message>
            <source>&amp;Light</source>
            <translation>浅色(&amp;L)</translation>
        </message>
        <message>
            <source>&amp;Dark</source>
            <translation>深色(&amp;D)</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::WorkerClient</name>
        <message>
            <source>a line is longer than 1 MiB</source>
            <translation>有一行超过 1 MiB</translation>
        </message>
        <message>
            <source>a line is no message</source>
            <translation>有一行不是消息</translation>
        </message>
        <message>
            <source>it speaks version %1 of the protocol, the studio version %2; both must come from one installation</source>
            <translation>它使用协议版本 %1，而工作室使用版本 %2；两者必须来自同一安装</translation>
        </message>
        <message>
            <source>a message that only the studio may send</source>
            <translation>只有工作室才能发送的消息</translation>
        </message>
        <message>
            <source>a result came in %1 of %2 pieces</source>
            <translation>结果只收到 %1 / %2 个分块</translation>
        </message>
        <message>
            <source>a result is no JSON</source>
            <translation>结果不是 JSON</translation>
        </message>
        <message>
            <source>it ended with code %1</source>
            <translation>它以代码 %1 结束</translation>
        </message>
        <message>
            <source>killed by the system, perhaps out of memory: it held %1, %2 are free</source>
            <translation>被系统终止，可能内存不足：占用 %1，可用 %2</translation>
        </message>
        <message>
            <source>signal %1</source>
            <translation>信号 %1</translation>
        </message>
        <message numerus="yes">
            <source>it did not answer within %n second(s)</source>
            <translation>
                <numerusform>%n 秒内没有应答</numerusform>
            </translation>
        </message>
        <message>
            <source>killed from outside (SIGKILL)</source>
            <translation>被外部终止（SIGKILL）</translation>
        </message>
        <message>
            <source>%1 on %2</source>
            <comment>program, machine</comment>
            <translation>%2 上的 %1</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::BarPlot</name>
        <message>
            <source>Time per layer</source>
            <translation>各层耗时</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::CompareModel</name>
        <message>
            <source>not significant</source>
            <translation>不显著</translation>
        </message>
        <message>
            <source>significantly better</source>
            <translation>显著更好</translation>
        </message>
        <message>
            <source>significantly worse</source>
            <translation>显著更差</translation>
        </message>
        <message>
            <source>Model</source>
            <translation>模型</translation>
        </message>
        <message>
            <source>Recipe</source>
            <translation>配方</translation>
        </message>
        <message>
            <source>Task</source>
            <translation>任务</translation>
        </message>
        <message>
            <source>Recipe: %1</source>
            <translation>配方：%1</translation>
        </message>
        <message>
            <source>Task: %1</source>
            <translation>任务：%1</translation>
        </message>
        <message>
            <source>Target: %1</source>
            <translation>目标：%1</translation>
        </message>
        <message>
            <source>Seed</source>
            <translation>随机种子</translation>
        </message>
        <message>
            <source>Not measured</source>
            <translation>未测量</translation>
        </message>
        <message numerus="yes">
            <source>%1: %2, from %Ln value(s)</source>
            <translation>
                <numerusform>%1：%2，基于 %Ln 个值</numerusform>
            </translation>
        </message>
        <message>
            <source>Compared item by item with the baseline (paired bootstrap, 95 %)</source>
            <translation>与基线逐条比较（配对自助法，95 %）</translation>
        </message>
        <message>
            <source>Significant when the 95 % intervals do not overlap</source>
            <translation>95 % 区间不重叠时为显著</translation>
        </message>
        <message>
            <source>Machine</source>
            <translation>机器</translation>
        </message>
        <message>
            <source>CPU</source>
            <translation>CPU</translation>
        </message>
        <message>
            <source>Cores</source>
            <translation>核心数</translation>
        </message>
        <message>
            <source>Memory</source>
            <translation>内存</translation>
        </message>
        <message>
            <source>Operating system</source>
            <translation>操作系统</translation>
        </message>
        <message>
            <source>CPU governor</source>
            <translation>CPU 调频策略</translation>
        </message>
        <message>
            <source>CPU features</source>
            <translation>CPU 特性</translation>
        </message>
        <message>
            <source>Devices</source>
            <translation>设备</translation>
        </message>
        <message>
            <source>Other load while timing</source>
            <translation>计时期间的其他负载</translation>
        </message>
        <message>
            <source>yes</source>
            <translation>是</translation>
        </message>
        <message>
            <source>none noticed</source>
            <translation>未发现</translation>
        </message>
        <message>
            <source>Version: %1</source>
            <translation>版本：%1</translation>
        </message>
        <message>
            <source>%1: no difference</source>
            <translation>%1：无差异</translation>
        </message>
        <message>
            <source>Settings</source>
            <translation>设置</translation>
        </message>
        <message>
            <source>Measurements</source>
            <translation>测量值</translation>
        </message>
        <message>
            <source>Environment</source>
            <translation>环境</translation>
        </message>
        <message>
            <source>#%1 %2</source>
            <translation>#%1 %2</translation>
        </message>
        <message>
            <source>%1 (baseline)</source>
            <translation>%1（基线）</translation>
        </message>
        <message>
            <source>prune</source>
            <translation>剪枝</translation>
        </message>
        <message>
            <source>number format</source>
            <translation>数值格式</translation>
        </message>
        <message>
            <source>only for</source>
            <translation>仅限</translation>
        </message>
        <message>
            <source>heads</source>
            <translation>注意力头</translation>
        </message>
        <message>
            <source>neurons</source>
            <translation>神经元</translation>
        </message>
        <message>
            <source>blocks</source>
            <translation>块</translation>
        </message>
        <message>
            <source>single weights</source>
            <translation>单个权重</translation>
        </message>
        <message>
            <source>share removed</source>
            <translation>移除比例</translation>
        </message>
        <message>
            <source>chosen by</source>
            <translation>选择依据</translation>
        </message>
        <message>
            <source>weights</source>
            <translation>权重</translation>
        </message>
        <message>
            <source>values a scale</source>
            <translation>每个缩放系数的值数</translation>
        </message>
        <message>
            <source>activations</source>
            <translation>激活</translation>
        </message>
        <message>
            <source>GPU driver</source>
            <translation>GPU 驱动程序</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::FormatChooser</name>
        <message>
            <source>%1: what a scale covers</source>
            <translation>%1：一个缩放系数的范围</translation>
        </message>
        <message>
            <source>How many input columns share a scale</source>
            <translation>多少输入列共用一个缩放系数</translation>
        </message>
        <message>
            <source>group %1</source>
            <translation>每组 %1</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::HistogramPlot</name>
        <message>
            <source>Histogram of the weights</source>
            <translation>权重直方图</translation>
        </message>
        <message>
            <source>Zeros: %1 before, %2 after</source>
            <translation>零值：优化前 %1，优化后 %2</translation>
        </message>
        <message>
            <source>Zeros: %1</source>
            <translation>零值：%1</translation>
        </message>
        <message>
            <source>Zeros: %1 after</source>
            <translation>零值：优化后 %1</translation>
        </message>
        <message numerus="yes">
            <source>%Ln value(s) hidden that are no numbers</source>
            <translation>
                <numerusform>隐藏了 %Ln 个非数值</numerusform>
            </translation>
        </message>
        <message>
            <source>Value</source>
            <translation>值</translation>
        </message>
        <message>
            <source>Count</source>
            <translation>数量</translation>
        </message>
        <message>
            <source>after</source>
            <translation>优化后</translation>
        </message>
        <message>
            <source>before</source>
            <translation>优化前</translation>
        </message>
        <message>
            <source>Weights</source>
            <translation>权重</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::JobsTableModel</name>
        <message>
            <source>%1 %</source>
            <translation>%1 %</translation>
        </message>
        <message>
            <source>Job</source>
            <translation>作业</translation>
        </message>
        <message>
            <source>State</source>
            <translation>状态</translation>
        </message>
        <message>
            <source>Stage</source>
            <translation>阶段</translation>
        </message>
        <message>
            <source>Progress</source>
            <translation>进度</translation>
        </message>
        <message>
            <source>Time left</source>
            <translation>剩余时间</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::LatencyPlot</name>
        <message>
            <source>Distribution of latencies</source>
            <translation>延迟分布</translation>
        </message>
        <message>
            <source>Latency, ms</source>
            <translation>延迟，毫秒</translation>
        </message>
        <message>
            <source>Passes no slower, %</source>
            <translation>不更慢的次数，%</translation>
        </message>
        <message>
            <source>baseline</source>
            <translation>基线</translation>
        </message>
        <message>
            <source>this run</source>
            <translation>此运行</translation>
        </message>
        <message>
            <source>%1 to %2 ms</source>
            <translation>%1 至 %2 毫秒</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::LayerProfileModel</name>
        <message>
            <source>Layer</source>
            <translation>层</translation>
        </message>
        <message>
            <source>Time</source>
            <translation>时间</translation>
        </message>
        <message>
            <source>Share</source>
            <translation>占比</translation>
        </message>
        <message>
            <source>Moved</source>
            <translation>读写量</translation>
        </message>
        <message>
            <source>Operations</source>
            <translation>运算量</translation>
        </message>
        <message>
            <source>Op/byte</source>
            <translation>运算/字节</translation>
        </message>
        <message>
            <source>GOP/s</source>
            <translation>GOP/s</translation>
        </message>
        <message>
            <source>GB/s</source>
            <translation>GB/s</translation>
        </message>
        <message>
            <source>Of its roof</source>
            <translation>达到屋顶线</translation>
        </message>
        <message>
            <source>Kernel</source>
            <translation>内核</translation>
        </message>
        <message>
            <source>Median time in a step, all calls together, while layers run one by one.</source>
            <translation>每步耗时的中位数,含全部调用;测量时各层逐个运行。</translation>
        </message>
        <message>
            <source>Bytes of weight and bias as packed, of inputs and of outputs, each once.</source>
            <translation>打包后的权重与偏置、输入与输出的字节数,各计一次。</translation>
        </message>
        <message>
            <source>Multiplications and additions; zeros count as any weight. Of attention: q·k and probabilities·v.</source>
            <translation>乘法与加法;零与其他权重同样计数。注意力:q·k 与 概率·v。</translation>
        </message>
        <message>
            <source>What the layer attains of the lower roof over it: the bandwidth times its operations a byte, or what the machine computes. The roofs are measured: data in near caches can be above 100 %.</source>
            <translation>该层达到其上方较低屋顶线的比例:带宽乘以每字节运算量,或本机的计算能力。屋顶线是实测值:位于近处缓存中的数据可能超过 100 %。</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::LayerReportModel</name>
        <message>
            <source>Layer</source>
            <translation>层</translation>
        </message>
        <message>
            <source>Output error</source>
            <translation>输出误差</translation>
        </message>
        <message>
            <source>Output SQNR</source>
            <translation>输出 SQNR</translation>
        </message>
        <message>
            <source>Output cosine</source>
            <translation>输出余弦</translation>
        </message>
        <message>
            <source>Weight error</source>
            <translation>权重误差</translation>
        </message>
        <message>
            <source>Zeros</source>
            <translation>零值</translation>
        </message>
        <message>
            <source>Bits</source>
            <translation>位数</translation>
        </message>
        <message>
            <source>Size</source>
            <translation>大小</translation>
        </message>
        <message>
            <source>Scaling</source>
            <translation>缩放</translation>
        </message>
        <message>
            <source>Time</source>
            <translation>时间</translation>
        </message>
        <message>
            <source>Compressed in</source>
            <translation>压缩用时</translation>
        </message>
        <message>
            <source>Mean squared error of the layer&apos;s output on the calibration samples, as a share of its mean square. Measured when a method is calibrated or the recipe names a calibration text.</source>
            <translation>该层输出在校准样本上的均方误差,占其均方的比例。当方法需要校准或配方指定了校准文本时测量。</translation>
        </message>
        <message>
            <source>The same in decibels: −10 · log10 of the output error.</source>
            <translation>同上,以分贝表示:输出误差的 −10 · log10。</translation>
        </message>
        <message>
            <source>Cosine between the layer&apos;s output before and after, over all calibration tokens.</source>
            <translation>该层压缩前后输出的余弦,基于所有校准词元。</translation>
        </message>
        <message>
            <source>‖W − Ŵ‖² / ‖W‖² against the weight in the file.</source>
            <translation>‖W − Ŵ‖² / ‖W‖²,相对于文件中的权重。</translation>
        </message>
        <message>
            <source>Share of the weight&apos;s values that are exactly zero.</source>
            <translation>权重中恰好为零的值的比例。</translation>
        </message>
        <message>
            <source>Bits held per weight, with scales and zero points.</source>
            <translation>每个权重占用的位数,含缩放系数和零点。</translation>
        </message>
        <message>
            <source>Bytes held: weight and bias.</source>
            <translation>占用字节:权重和偏置。</translation>
        </message>
        <message>
            <source>How strongly the input was scaled: SmoothQuant&apos;s α, AWQ&apos;s ratio.</source>
            <translation>输入缩放的强度:SmoothQuant 的 α,AWQ 的比率。</translation>
        </message>
        <message>
            <source>Median time of the layer in a pass of the model.</source>
            <translation>模型一次前向中该层的中位时间。</translation>
        </message>
        <message>
            <source>Time that calibrated methods took for this layer.</source>
            <translation>需校准的方法在该层所用时间。</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::LayerTimesModel</name>
        <message>
            <source>%1: %2 ms, %3 of the pass, %4</source>
            <translation>%1：%2 毫秒，占 %3，%4</translation>
        </message>
        <message>
            <source>%1: not in this run</source>
            <translation>%1：不在此运行中</translation>
        </message>
        <message>
            <source>Layer</source>
            <translation>层</translation>
        </message>
        <message>
            <source>Time</source>
            <translation>时间</translation>
        </message>
        <message>
            <source>ms</source>
            <translation>毫秒</translation>
        </message>
        <message>
            <source>Baseline</source>
            <translation>基线</translation>
        </message>
        <message>
            <source>Δ</source>
            <translation>Δ</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::LayerTreeModel</name>
        <message>
            <source> tensor</source>
            <translation> 张量</translation>
        </message>
        <message>
            <source>Block %1</source>
            <translation>块 %1</translation>
        </message>
        <message>
            <source>Attention</source>
            <translation>注意力</translation>
        </message>
        <message>
            <source>Feed-forward</source>
            <translation>前馈</translation>
        </message>
        <message>
            <source>removed</source>
            <translation>已移除</translation>
        </message>
        <message>
            <source>%1 heads</source>
            <translation>%1 个头</translation>
        </message>
        <message>
            <source>%1 %</source>
            <comment>percent</comment>
            <translation>%1 %</translation>
        </message>
        <message>
            <source>mixed</source>
            <translation>混合</translation>
        </message>
        <message>
            <source>in the file: %1×%2, %3</source>
            <translation>文件中：%1×%2，%3</translation>
        </message>
        <message>
            <source>shares the weight of %1</source>
            <translation>与 %1 共用权重</translation>
        </message>
        <message>
            <source>differs from the whole model; Ctrl+Backspace resets it</source>
            <translation>与整个模型的设置不同；Ctrl+Backspace 可重置</translation>
        </message>
        <message>
            <source>Groups: share of heads or neurons to remove. Layers: share of weights set to zero.</source>
            <translation>组：要移除的头或神经元的比例。层：置零的权重比例。</translation>
        </message>
        <message>
            <source>How the weight is held</source>
            <translation>权重的存储方式</translation>
        </message>
        <message>
            <source>Bytes held, weight and bias</source>
            <translation>占用字节，含权重与偏置</translation>
        </message>
        <message>
            <source>Milliseconds in the current run</source>
            <translation>当前运行中的毫秒数</translation>
        </message>
        <message>
            <source>Layer</source>
            <translation>层</translation>
        </message>
        <message>
            <source>Shape</source>
            <translation>形状</translation>
        </message>
        <message>
            <source>Prune</source>
            <translation>剪枝</translation>
        </message>
        <message>
            <source>Bits</source>
            <translation>位宽</translation>
        </message>
        <message>
            <source>MB</source>
            <translation>MB</translation>
        </message>
        <message>
            <source>ms</source>
            <translation>毫秒</translation>
        </message>
        <message>
            <source>%1 neurons</source>
            <translation>%1 个神经元</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::MetricChooser</name>
        <message>
            <source>Lower is better</source>
            <translation>越低越好</translation>
        </message>
        <message>
            <source>Higher is better</source>
            <translation>越高越好</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::ParetoPlot</name>
        <message>
            <source>%1 (lower is better)</source>
            <translation>%1（越低越好）</translation>
        </message>
        <message>
            <source>%1 (higher is better)</source>
            <translation>%1（越高越好）</translation>
        </message>
        <message>
            <source>Pareto plot</source>
            <translation>帕累托图</translation>
        </message>
        <message>
            <source>Values of the Pareto plot</source>
            <translation>帕累托图的数值</translation>
        </message>
        <message numerus="yes">
            <source>%Ln run(s) hidden</source>
            <translation>
                <numerusform>隐藏了 %Ln 次运行</numerusform>
            </translation>
        </message>
        <message>
            <source>These have no value on one of the axes, or one that a logarithmic axis cannot show.</source>
            <translation>这些运行在某个轴上没有值，或其值无法在对数轴上显示。</translation>
        </message>
        <message>
            <source>Show %1</source>
            <translation>显示 %1</translation>
        </message>
        <message>
            <source>Show or hide %1</source>
            <translation>显示或隐藏 %1</translation>
        </message>
        <message>
            <source>#%1 %2</source>
            <translation>#%1 %2</translation>
        </message>
        <message>
            <source>%1: %2</source>
            <translation>%1：%2</translation>
        </message>
        <message>
            <source>Recipe: %1</source>
            <translation>配方：%1</translation>
        </message>
        <message>
            <source>Disturbed by other load</source>
            <translation>受其他负载干扰</translation>
        </message>
        <message>
            <source>On the front</source>
            <translation>在前沿上</translation>
        </message>
        <message>
            <source>Dominated</source>
            <translation>被支配</translation>
        </message>
        <message numerus="yes">
            <source>%1 against %2: %Ln run(s), </source>
            <translation>
                <numerusform>%1 对 %2：%Ln 次运行，</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln on the front. The table view has the values.</source>
            <translation>
                <numerusform>%Ln 次在前沿上。表格视图中有数值。</numerusform>
            </translation>
        </message>
        <message>
            <source>%1 against %2</source>
            <translation>%1 对 %2</translation>
        </message>
        <message>
            <source>Recovered from #%1</source>
            <translation>由 #%1 恢复而来</translation>
        </message>
        <message numerus="yes">
            <source>%Ln arrow(s) lead to recovered runs.</source>
            <translation>
                <numerusform>%Ln 个箭头指向恢复后的运行。</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::ParetoTableModel</name>
        <message>
            <source>on the front</source>
            <translation>在前沿上</translation>
        </message>
        <message>
            <source>dominated</source>
            <translation>被支配</translation>
        </message>
        <message>
            <source>Run</source>
            <translation>运行</translation>
        </message>
        <message>
            <source>Name</source>
            <translation>名称</translation>
        </message>
        <message>
            <source>Model</source>
            <translation>模型</translation>
        </message>
        <message>
            <source>Recipe</source>
            <translation>配方</translation>
        </message>
        <message>
            <source>low</source>
            <translation>下限</translation>
        </message>
        <message>
            <source>high</source>
            <translation>上限</translation>
        </message>
        <message>
            <source>Front</source>
            <translation>前沿</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::RatioEditor</name>
        <message>
            <source>%1, slider</source>
            <translation>%1，滑块</translation>
        </message>
        <message>
            <source> %</source>
            <comment>percent, after the number</comment>
            <translation> %</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::RooflinePlot</name>
        <message>
            <source>%1 ms, %2 % of the step</source>
            <translation>%1 毫秒,占该步的 %2 %</translation>
        </message>
        <message>
            <source>%1 operations a byte, %2 GOP/s</source>
            <translation>每字节 %1 次运算,%2 GOP/s</translation>
        </message>
        <message>
            <source>%1 % of its roof, %2 GOP/s</source>
            <translation>达到其屋顶线的 %1 %(%2 GOP/s)</translation>
        </message>
        <message>
            <source>fp32 %1 GFLOP/s</source>
            <translation>fp32 %1 GFLOP/s</translation>
        </message>
        <message>
            <source>int8 %1 GOP/s</source>
            <translation>int8 %1 GOP/s</translation>
        </message>
        <message>
            <source>%1 GB/s</source>
            <translation>%1 GB/s</translation>
        </message>
        <message>
            <source>Roofline of the layers</source>
            <translation>各层的屋顶线图</translation>
        </message>
        <message numerus="yes">
            <source>%Ln layer(s)</source>
            <translation>
                <numerusform>%Ln 层</numerusform>
            </translation>
        </message>
        <message>
            <source>Operations a byte</source>
            <translation>每字节运算量</translation>
        </message>
        <message>
            <source>GOP/s</source>
            <translation>GOP/s</translation>
        </message>
        <message>
            <source>Roofline</source>
            <translation>屋顶线图</translation>
        </message>
        <message>
            <source>fp16 or bf16 %1 GFLOP/s</source>
            <translation>fp16 或 bf16 %1 GFLOP/s</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::RunTableModel</name>
        <message>
            <source>queued</source>
            <translation>排队中</translation>
        </message>
        <message>
            <source>running</source>
            <translation>运行中</translation>
        </message>
        <message>
            <source>finished</source>
            <translation>已完成</translation>
        </message>
        <message>
            <source>failed</source>
            <translation>失败</translation>
        </message>
        <message>
            <source>cancelled</source>
            <translation>已取消</translation>
        </message>
        <message>
            <source>interrupted</source>
            <translation>已中断</translation>
        </message>
        <message>
            <source>finished, disturbed</source>
            <translation>已完成，受干扰</translation>
        </message>
        <message>
            <source>Pinned as the baseline</source>
            <translation>已固定为基线</translation>
        </message>
        <message>
            <source>Nothing was evaluated</source>
            <translation>未进行评估</translation>
        </message>
        <message>
            <source>%1: %2</source>
            <translation>%1：%2</translation>
        </message>
        <message>
            <source>No comparable baseline is stored</source>
            <translation>没有可比较的基线</translation>
        </message>
        <message>
            <source>This run is the baseline</source>
            <translation>此运行即为基线</translation>
        </message>
        <message>
            <source>Latency p50 against “%1”</source>
            <translation>延迟 p50 相对“%1”</translation>
        </message>
        <message>
            <source>Other load above 5 % of the cores while timing</source>
            <translation>计时期间其他负载超过核心的 5 %</translation>
        </message>
        <message>
            <source>Median latency with its 95 % interval</source>
            <translation>延迟中位数及其 95 % 区间</translation>
        </message>
        <message>
            <source>The metric of the run&apos;s task with its 95 % interval</source>
            <translation>运行任务的指标及其 95 % 区间</translation>
        </message>
        <message>
            <source>Median latency against the baseline of the comparable runs</source>
            <translation>延迟中位数相对可比较运行的基线</translation>
        </message>
        <message>
            <source>Name</source>
            <translation>名称</translation>
        </message>
        <message>
            <source>Model</source>
            <translation>模型</translation>
        </message>
        <message>
            <source>Recipe</source>
            <translation>配方</translation>
        </message>
        <message>
            <source>Task</source>
            <translation>任务</translation>
        </message>
        <message>
            <source>Target</source>
            <translation>目标</translation>
        </message>
        <message>
            <source>p50, ms</source>
            <translation>p50，毫秒</translation>
        </message>
        <message>
            <source>Quality</source>
            <translation>质量</translation>
        </message>
        <message>
            <source>MB</source>
            <translation>MB</translation>
        </message>
        <message>
            <source>Δ p50</source>
            <translation>Δ p50</translation>
        </message>
        <message>
            <source>Date</source>
            <translation>日期</translation>
        </message>
        <message>
            <source>Status</source>
            <translation>状态</translation>
        </message>
        <message>
            <source>Note</source>
            <translation>备注</translation>
        </message>
        <message>
            <source>The baseline: the newest run of the unchanged model; click to pin it</source>
            <translation>基线：未改动模型的最新运行；点击可固定</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::SpectrumPlot</name>
        <message>
            <source>Singular values of the weight</source>
            <translation>权重的奇异值</translation>
        </message>
        <message>
            <source>Rank</source>
            <translation>秩</translation>
        </message>
        <message>
            <source>Singular value</source>
            <translation>奇异值</translation>
        </message>
        <message>
            <source>before</source>
            <translation>之前</translation>
        </message>
        <message>
            <source>after</source>
            <translation>之后</translation>
        </message>
        <message>
            <source>Singular values</source>
            <translation>奇异值</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::DistilPairsPanel</name>
        <message>
            <source>Who learns from whom</source>
            <translation>谁向谁学习</translation>
        </message>
        <message>
            <source>Student: what the recipe leaves</source>
            <translation>学生：配方保留的部分</translation>
        </message>
        <message>
            <source>Spread Evenly</source>
            <translation>均匀分配</translation>
        </message>
        <message>
            <source>Every block learns from one, the last from the last; follows the number of blocks</source>
            <translation>每个块各向一个块学习，最后一个对最后一个；随块数变化</translation>
        </message>
        <message>
            <source>Block %1</source>
            <translation>块 %1</translation>
        </message>
        <message>
            <source>Block %1 (was %2)</source>
            <translation>块 %1（原为 %2）</translation>
        </message>
        <message>
            <source>Teacher: the untouched model</source>
            <translation>教师：原始模型</translation>
        </message>
        <message>
            <source>Teacher: %1</source>
            <translation>教师：%1</translation>
        </message>
        <message>
            <source>The teacher is being read…</source>
            <translation>正在读取教师模型…</translation>
        </message>
        <message>
            <source>The teacher cannot be read.</source>
            <translation>无法读取教师模型。</translation>
        </message>
        <message numerus="yes">
            <source>%n pair(s) name blocks that are not there.</source>
            <translation>
                <numerusform>%n 个配对指向不存在的块。</numerusform>
            </translation>
        </message>
        <message>
            <source>Hidden states, attention and relations weigh 0 in Recipe: pairs teach nothing yet.</source>
            <translation>配方中隐藏状态、注意力和关系的权重均为 0：配对尚不起作用。</translation>
        </message>
        <message numerus="yes">
            <source>%n pair(s) chosen by hand.</source>
            <translation>
                <numerusform>%n 个手动选择的配对。</numerusform>
            </translation>
        </message>
        <message>
            <source>Spread evenly; drag to change.</source>
            <translation>均匀分配；拖动可更改。</translation>
        </message>
        <message>
            <source>The last pair stays. To teach no blocks, set their weights in Recipe to 0.</source>
            <translation>最后一个配对会保留。若不需要教任何块，请在配方中将相应权重设为 0。</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::RecoverForm</name>
        <message>
            <source>Recover</source>
            <translation>恢复</translation>
        </message>
        <message>
            <source>off</source>
            <translation>关</translation>
        </message>
        <message>
            <source>What pruning and rounding cost stays lost.</source>
            <translation>剪枝和舍入造成的损失不予恢复。</translation>
        </message>
        <message>
            <source>fine-tune</source>
            <translation>微调</translation>
        </message>
        <message>
            <source>Trains what is left on the task's own labels; zeros stay zeros. Minutes to hours.</source>
            <translation>用任务自身的标签训练剩余部分；零保持为零。需要几分钟到几小时。</translation>
        </message>
        <message>
            <source>distil</source>
            <translation>蒸馏</translation>
        </message>
        <message>
            <source>Trains what is left to answer as the untouched model does, beside the labels (Hinton et al. 2015). Minutes to hours; usually better than fine-tuning alone.</source>
            <translation>除标签外，还训练剩余部分给出与原始模型相同的回答（Hinton 等，2015）。需要几分钟到几小时；通常优于单独微调。</translation>
        </message>
        <message>
            <source>reconstruct</source>
            <translation>重建</translation>
        </message>
        <message>
            <source>Fits each block to what the untouched one gave for the calibration's texts. Minutes; needs no labels.</source>
            <translation>让每个块拟合原始块对校准文本的输出。几分钟；不需要标签。</translation>
        </message>
        <message>
            <source>Learn from</source>
            <translation>学习数据</translation>
        </message>
        <message>
            <source>The task whose training rows are learned: one of the list, or a task's file. Decoders may learn from a plain text.</source>
            <translation>学习其训练行的任务：列表中的任务或任务文件。解码器可以从纯文本学习。</translation>
        </message>
        <message>
            <source>Length</source>
            <translation>时长</translation>
        </message>
        <message>
            <source>Epochs</source>
            <translation>轮数</translation>
        </message>
        <message>
            <source>Passes over the training rows</source>
            <translation>遍历训练行的次数</translation>
        </message>
        <message>
            <source>Steps a block</source>
            <translation>每块步数</translation>
        </message>
        <message>
            <source>usual</source>
            <translation>默认</translation>
        </message>
        <message>
            <source>Batch</source>
            <translation>批大小</translation>
        </message>
        <message>
            <source>Examples a step</source>
            <translation>每步样本数</translation>
        </message>
        <message>
            <source>Learning rate</source>
            <translation>学习率</translation>
        </message>
        <message>
            <source>The most it is; the schedule says how it rises and falls</source>
            <translation>最大值；调度方式决定其升降</translation>
        </message>
        <message>
            <source>Schedule of the learning rate</source>
            <translation>学习率调度</translation>
        </message>
        <message>
            <source>constant</source>
            <translation>恒定</translation>
        </message>
        <message>
            <source>falls linearly</source>
            <translation>线性下降</translation>
        </message>
        <message>
            <source>falls as a cosine</source>
            <translation>余弦下降</translation>
        </message>
        <message>
            <source>Labels</source>
            <translation>标签</translation>
        </message>
        <message>
            <source>Weight of the labels</source>
            <translation>标签权重</translation>
        </message>
        <message>
            <source>Weight of the task's own loss; 0 learns from the teacher alone</source>
            <translation>任务自身损失的权重；0 表示只向教师学习</translation>
        </message>
        <message>
            <source>quantize-aware</source>
            <translation>量化感知</translation>
        </message>
        <message>
            <source>Quantize-aware training</source>
            <translation>量化感知训练</translation>
        </message>
        <message>
            <source>Teacher</source>
            <translation>教师</translation>
        </message>
        <message>
            <source>The untouched model, or the folder of another one with the same vocabulary</source>
            <translation>原始模型，或词表相同的另一个模型的文件夹</translation>
        </message>
        <message>
            <source>the untouched model</source>
            <translation>原始模型</translation>
        </message>
        <message>
            <source>Outputs</source>
            <translation>输出</translation>
        </message>
        <message>
            <source>Weight of the outputs</source>
            <translation>输出权重</translation>
        </message>
        <message>
            <source>The teacher's softened answers (Hinton et al. 2015)</source>
            <translation>教师的软化回答（Hinton 等，2015）</translation>
        </message>
        <message>
            <source>Temperature</source>
            <translation>温度</translation>
        </message>
        <message>
            <source>How soft the answers are made</source>
            <translation>回答的软化程度</translation>
        </message>
        <message>
            <source>temperature</source>
            <translation>温度</translation>
        </message>
        <message>
            <source>Hidden states</source>
            <translation>隐藏状态</translation>
        </message>
        <message>
            <source>Weight of the hidden states</source>
            <translation>隐藏状态权重</translation>
        </message>
        <message>
            <source>What comes out of paired blocks (TinyBERT, Jiao et al. 2020)</source>
            <translation>配对块的输出（TinyBERT，Jiao 等，2020）</translation>
        </message>
        <message>
            <source>Weight of the attention maps</source>
            <translation>注意力图权重</translation>
        </message>
        <message>
            <source>Where the tokens of paired blocks look (MobileBERT, Sun et al. 2020)</source>
            <translation>配对块中词元的注意位置（MobileBERT，Sun 等，2020）</translation>
        </message>
        <message>
            <source>attention</source>
            <translation>注意力</translation>
        </message>
        <message>
            <source>Relations</source>
            <translation>关系</translation>
        </message>
        <message>
            <source>Weight of the relations</source>
            <translation>关系权重</translation>
        </message>
        <message>
            <source>How tokens relate in the last pair of blocks, whatever its width (MiniLMv2, Wang et al. 2021)</source>
            <translation>最后一对块中词元之间的关系，与宽度无关（MiniLMv2，Wang 等，2021）</translation>
        </message>
        <message>
            <source>Pairs of Blocks…</source>
            <translation>块配对…</translation>
        </message>
        <message>
            <source>Which block learns from which block of the teacher</source>
            <translation>哪个块向教师的哪个块学习</translation>
        </message>
        <message numerus="yes">
            <source>The first of %n recovery step(s) of the recipe is shown.</source>
            <translation>
                <numerusform>显示配方中 %n 个恢复步骤的第一个。</numerusform>
            </translation>
        </message>
        <message>
            <source>How accuracy is brought back behind pruning</source>
            <translation>剪枝后如何恢复精度</translation>
        </message>
        <message>
            <source>open a model first</source>
            <translation>请先打开模型</translation>
        </message>
        <message>
            <source>Trains with weights and inputs rounded as the recipe will round them; the scales are learned (LSQ, Esser et al. 2020)</source>
            <translation>训练时按配方的方式舍入权重和输入；缩放系数由学习得到（LSQ，Esser 等，2020）</translation>
        </message>
        <message>
            <source>choose bits first</source>
            <translation>请先选择位宽</translation>
        </message>
        <message>
            <source>Learns</source>
            <translation>学习内容</translation>
        </message>
        <message>
            <source>What is learned</source>
            <translation>学习哪些值</translation>
        </message>
        <message>
            <source>Which values change. Adapters (LoRA, Hu et al. 2021) learn two thin matrices beside each weight, which are added to it at the end: less memory, for decoders above all.</source>
            <translation>哪些值会改变。适配器（LoRA，Hu 等，2021）在每个权重旁学习两个窄矩阵，最后加到权重上：占用内存更少，尤其适合解码器。</translation>
        </message>
        <message>
            <source>adapters (LoRA)</source>
            <translation>适配器（LoRA）</translation>
        </message>
        <message>
            <source>Rank of the adapters</source>
            <translation>适配器的秩</translation>
        </message>
        <message>
            <source>Width of the thin matrices; their product counts twice</source>
            <translation>窄矩阵的宽度；其乘积按两倍计入</translation>
        </message>
        <message>
            <source>rank</source>
            <translation>秩</translation>
        </message>
        <message>
            <source>Prunes</source>
            <translation>剪枝时段</translation>
        </message>
        <message>
            <source>Share of the steps between which the weights fall; behind it zeros stay zeros</source>
            <translation>权重在哪段训练步数之间被去掉；之后零保持为零</translation>
        </message>
        <message>
            <source>Pruning begins</source>
            <translation>剪枝开始</translation>
        </message>
        <message>
            <source>from</source>
            <translation>从</translation>
        </message>
        <message>
            <source>Pruning ends</source>
            <translation>剪枝结束</translation>
        </message>
        <message>
            <source>to</source>
            <translation>到</translation>
        </message>
        <message>
            <source>Texts</source>
            <translation>文本</translation>
        </message>
        <message>
            <source>Texts that the teacher writes</source>
            <translation>教师写的文本</translation>
        </message>
        <message>
            <source>The student learns them by heart instead of the source's own (sequence-level distillation, Kim and Rush 2016)</source>
            <translation>学生学习这些文本，而不是数据源自身的文本（序列级蒸馏，Kim 和 Rush，2016）</translation>
        </message>
        <message>
            <source>none</source>
            <translation>无</translation>
        </message>
        <message>
            <source>written by the teacher</source>
            <translation>由教师撰写</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::TrainingPage</name>
        <message>
            <source>Which training</source>
            <translation>哪次训练</translation>
        </message>
        <message>
            <source>Step of the recovery</source>
            <translation>恢复步骤</translation>
        </message>
        <message>
            <source>Learning rate</source>
            <translation>学习率</translation>
        </message>
        <message>
            <source>Show the learning rate</source>
            <translation>显示学习率</translation>
        </message>
        <message>
            <source>Draws the learning rate beside the loss</source>
            <translation>在损失旁绘制学习率</translation>
        </message>
        <message>
            <source>Stop and Keep Best</source>
            <translation>停止并保留最佳</translation>
        </message>
        <message>
            <source>Ends training now; the weights of the best validation are kept, and the run goes on as if this had been the last step</source>
            <translation>立即结束训练；保留验证最佳时的权重，运行如同这是最后一步一样继续</translation>
        </message>
        <message>
            <source>The strong line is the mean of the last fiftieth of the planned steps</source>
            <translation>粗线是最近计划步数五十分之一的均值</translation>
        </message>
        <message>
            <source>The job that trains, or trained last</source>
            <translation>正在训练或最近训练过的任务</translation>
        </message>
        <message>
            <source>The chosen run, as it was stored</source>
            <translation>所选运行（按存储内容）</translation>
        </message>
        <message>
            <source>Step %1: %2</source>
            <comment>of the recovery: number, method</comment>
            <translation>步骤 %1：%2</translation>
        </message>
        <message>
            <source>Resume</source>
            <translation>继续</translation>
        </message>
        <message>
            <source>Pause</source>
            <translation>暂停</translation>
        </message>
        <message>
            <source>Goes on training</source>
            <translation>继续训练</translation>
        </message>
        <message>
            <source>Holds training between two steps; nothing is lost</source>
            <translation>在两步之间暂停训练；不会丢失任何内容</translation>
        </message>
        <message>
            <source>Training shows loss and metric while a recipe recovers accuracy. Switch it on in Recipe, under Recover.</source>
            <translation>配方恢复精度时，训练页显示损失和指标。请在配方的“恢复”中启用。</translation>
        </message>
        <message>
            <source>The chosen run did not train. A recipe does where Recover is on.</source>
            <translation>所选运行没有训练。启用“恢复”的配方才会训练。</translation>
        </message>
        <message>
            <source>Paused</source>
            <translation>已暂停</translation>
        </message>
        <message>
            <source>Ending with the best so far</source>
            <translation>正在以目前最佳结果结束</translation>
        </message>
        <message>
            <source>Step %L1 of %L2</source>
            <translation>第 %L1 步，共 %L2 步</translation>
        </message>
        <message>
            <source>epoch %1</source>
            <comment>passes over the data</comment>
            <translation>第 %1 轮</translation>
        </message>
        <message>
            <source>loss %1</source>
            <translation>损失 %1</translation>
        </message>
        <message>
            <source>%1 examples/s</source>
            <translation>%1 样本/秒</translation>
        </message>
        <message>
            <source>%1 left</source>
            <translation>剩余 %1</translation>
        </message>
        <message>
            <source>%1 in all</source>
            <comment>time</comment>
            <translation>共 %1</translation>
        </message>
        <message>
            <source>%1 on %2</source>
            <comment>method, data</comment>
            <translation>%1，数据 %2</translation>
        </message>
        <message numerus="yes">
            <source>%Ln example(s)</source>
            <translation>
                <numerusform>%Ln 个样本</numerusform>
            </translation>
        </message>
        <message>
            <source>%1 %2</source>
            <comment>metric, value</comment>
            <translation>%1 %2</translation>
        </message>
        <message>
            <source>kept: %1 at step %L2</source>
            <comment>value of the metric</comment>
            <translation>保留：第 %L2 步的 %1</translation>
        </message>
        <message>
            <source>kept: step %L1</source>
            <translation>保留：第 %L1 步</translation>
        </message>
        <message>
            <source>ended: no validation was better any more</source>
            <translation>已结束：验证不再提升</translation>
        </message>
        <message>
            <source>ended by hand</source>
            <translation>手动结束</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::BlockPairsView</name>
        <message>
            <source>Pairs of blocks</source>
            <translation>块配对</translation>
        </message>
        <message>
            <source>%1: Enter lets it learn from %2</source>
            <comment>student's block, teacher's block</comment>
            <translation>%1：按回车使其向 %2 学习</translation>
        </message>
        <message>
            <source>%1 learns from no block</source>
            <comment>student's block</comment>
            <translation>%1 不向任何块学习</translation>
        </message>
        <message>
            <source>%1 learns from %2</source>
            <comment>student's block, teacher's block</comment>
            <translation>%1 向 %2 学习</translation>
        </message>
        <message>
            <source>Drag from a student's block to a teacher's. Double click or Delete takes a pair away.</source>
            <translation>从学生的块拖到教师的块。双击或按 Delete 移除配对。</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::TrainingPlot</name>
        <message>
            <source>Loss</source>
            <translation>损失</translation>
        </message>
        <message>
            <source>Learning rate</source>
            <translation>学习率</translation>
        </message>
        <message>
            <source>Step</source>
            <translation>步</translation>
        </message>
        <message>
            <source>Loss and metric while training</source>
            <translation>训练中的损失和指标</translation>
        </message>
        <message>
            <source>kept: step %L1</source>
            <translation>保留：第 %L1 步</translation>
        </message>
        <message>
            <source>Step %L1</source>
            <translation>第 %L1 步</translation>
        </message>
        <message>
            <source>Loss %1, smoothed %2</source>
            <translation>损失 %1，平滑后 %2</translation>
        </message>
        <message>
            <source>Learning rate %1</source>
            <translation>学习率 %1</translation>
        </message>
        <message>
            <source>%1: %2</source>
            <comment>metric, value</comment>
            <translation>%1：%2</translation>
        </message>
        <message numerus="yes">
            <source>%Ln step(s)</source>
            <translation>
                <numerusform>%Ln 步</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln validation(s)</source>
            <translation>
                <numerusform>%Ln 次验证</numerusform>
            </translation>
        </message>
        <message>
            <source>smoothed loss %1</source>
            <translation>平滑损失 %1</translation>
        </message>
        <message>
            <source>Training</source>
            <translation>训练</translation>
        </message>
    </context>
    <context>
        <name>ProjectTexts</name>
        <message numerus="yes">
            <source>%Ln duplicate(s)</source>
            <translation>
                <numerusform>%Ln 行重复</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) with contradicting labels</source>
            <translation>
                <numerusform>%Ln 行标签相互矛盾</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) without text</source>
            <translation>
                <numerusform>%Ln 行没有文本</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) without label</source>
            <translation>
                <numerusform>%Ln 行没有标签</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln copy(s) in another split</source>
            <translation>
                <numerusform>%Ln 行在其他划分中有副本</numerusform>
            </translation>
        </message>
        <message>
            <source>Nothing was left out</source>
            <translation>没有去除任何行</translation>
        </message>
        <message>
            <source>Left out: %1</source>
            <translation>已去除：%1</translation>
        </message>
        <message>
            <source>%1 to learn from, %2 to validate, %3 to test</source>
            <comment>numbers of rows</comment>
            <translation>训练 %1 行，验证 %2 行，测试 %3 行</translation>
        </message>
        <message>
            <source>training</source>
            <comment>split</comment>
            <translation>训练</translation>
        </message>
        <message>
            <source>validation</source>
            <comment>split</comment>
            <translation>验证</translation>
        </message>
        <message>
            <source>test</source>
            <comment>split</comment>
            <translation>测试</translation>
        </message>
        <message>
            <source>The class %1 has no row in the test split: nothing is measured of it.</source>
            <translation>类别 %1 在测试划分中没有行：不会测量它。</translation>
        </message>
        <message numerus="yes">
            <source>The class %1 has %Ln row(s) to learn from.</source>
            <translation>
                <numerusform>类别 %1 只有 %Ln 行可供学习。</numerusform>
            </translation>
        </message>
        <message>
            <source>The largest class has %L1 times as many rows as the smallest: look at macro F1 beside accuracy.</source>
            <translation>最大类别的行数是最小类别的 %L1 倍：除准确率外请看宏平均 F1。</translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) of validation and test have a copy in another split: accuracies are too good.</source>
            <translation>
                <numerusform>验证和测试中有 %Ln 行在其他划分中有副本：准确率会偏高。</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) were left out because they are (nearly) those of a later split, which came with the data.</source>
            <translation>
                <numerusform>已去除 %Ln 行：它们与数据自带的后续划分中的行（几乎）相同。</numerusform>
            </translation>
        </message>
        <message>
            <source>The data came without the split %1: it was drawn from training.</source>
            <translation>数据没有自带“%1”划分：已从训练中抽取。</translation>
        </message>
        <message>
            <source>all go to training</source>
            <translation>全部归入训练</translation>
        </message>
        <message>
            <source>one stays, the others are left out</source>
            <translation>保留一份，去除其余</translation>
        </message>
        <message>
            <source>stay where they are</source>
            <translation>保持原位</translation>
        </message>
        <message>
            <source>Train: %1</source>
            <comment>recipe</comment>
            <translation>训练：%1</translation>
        </message>
        <message>
            <source>Measure the model the variants start from</source>
            <translation>测量各变体所基于的模型</translation>
        </message>
        <message>
            <source>Variant: %1</source>
            <comment>recipe</comment>
            <translation>变体：%1</translation>
        </message>
        <message>
            <source>Compare the variants with it, row by row</source>
            <translation>逐行与其比较各变体</translation>
        </message>
        <message>
            <source>Export the smallest that loses at most %1 accuracy on validation</source>
            <translation>导出在验证划分上准确率损失不超过 %1 的最小模型</translation>
        </message>
        <message>
            <source>Export %1</source>
            <comment>step</comment>
            <translation>导出 %1</translation>
        </message>
        <message>
            <source>looking…</source>
            <translation>正在查看…</translation>
        </message>
        <message>
            <source>done %1</source>
            <comment>date and time</comment>
            <translation>完成于 %1</translation>
        </message>
        <message>
            <source>done</source>
            <translation>已完成</translation>
        </message>
        <message>
            <source>waits</source>
            <translation>等待中</translation>
        </message>
        <message>
            <source>running</source>
            <translation>正在运行</translation>
        </message>
        <message>
            <source>failed: %1</source>
            <comment>error</comment>
            <translation>失败：%1</translation>
        </message>
        <message>
            <source>stopped</source>
            <translation>已停止</translation>
        </message>
        <message>
            <source>not done yet</source>
            <translation>尚未执行</translation>
        </message>
        <message>
            <source>stale: what it is made from has changed</source>
            <translation>已过期：它的来源已更改</translation>
        </message>
        <message>
            <source>stale: the folder %1 is gone or was changed</source>
            <translation>已过期：文件夹 %1 不存在或已被更改</translation>
        </message>
        <message>
            <source>stale: its run is not in this store</source>
            <translation>已过期：它的运行不在此运行库中</translation>
        </message>
        <message>
            <source>Texts in %1, labels in %2</source>
            <comment>columns</comment>
            <translation>文本列：%1，标签列：%2</translation>
        </message>
        <message>
            <source>No row is a copy or nearly a copy of another</source>
            <translation>没有行与其他行相同或几乎相同</translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) read</source>
            <translation>
                <numerusform>已读取 %Ln 行</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln class(es)</source>
            <translation>
                <numerusform>%Ln 个类别</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln row(s) are copies or near copies of others</source>
            <translation>
                <numerusform>%Ln 行与其他行相同或几乎相同</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln of them go to training</source>
            <translation>
                <numerusform>其中 %Ln 行归入训练</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%Ln leak(s) into another split</source>
            <translation>
                <numerusform>跨划分泄漏 %Ln 行</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ConfusionPanel</name>
        <message>
            <source>Last validation: step %L1</source>
            <comment>of a training</comment>
            <translation>最近一次验证：第 %L1 步</translation>
        </message>
        <message>
            <source>Rows: true class. Columns: predicted. Darker: a larger share of the row.</source>
            <translation>行：真实类别。列：预测类别。颜色越深，占该行的比例越大。</translation>
        </message>
        <message>
            <source>Confusion matrix of the last validation</source>
            <translation>最近一次验证的混淆矩阵</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::NewProjectDialog</name>
        <message>
            <source>New project: text classification</source>
            <translation>新建项目：文本分类</translation>
        </message>
        <message>
            <source>Progress</source>
            <translation>进度</translation>
        </message>
        <message>
            <source>Create</source>
            <translation>创建</translation>
        </message>
        <message>
            <source>File…</source>
            <translation>文件…</translation>
        </message>
        <message>
            <source>Choose the file of texts</source>
            <translation>选择文本文件</translation>
        </message>
        <message>
            <source>Folder…</source>
            <translation>文件夹…</translation>
        </message>
        <message>
            <source>Choose a folder with a file for each split</source>
            <translation>选择每个划分各有一个文件的文件夹</translation>
        </message>
        <message>
            <source>Texts</source>
            <translation>文本</translation>
        </message>
        <message>
            <source>Labelled texts: CSV, TSV or JSONL, or a folder with train, validation and test</source>
            <translation>带标签的文本：CSV、TSV 或 JSONL，或包含 train、validation 和 test 的文件夹</translation>
        </message>
        <message>
            <source>Choose…</source>
            <translation>选择…</translation>
        </message>
        <message>
            <source>Choose the encoder</source>
            <translation>选择编码器</translation>
        </message>
        <message>
            <source>Encoder</source>
            <translation>编码器</translation>
        </message>
        <message>
            <source>Choose where it is made</source>
            <translation>选择创建位置</translation>
        </message>
        <message>
            <source>Project folder</source>
            <translation>项目文件夹</translation>
        </message>
        <message>
            <source>As chosen in the toolbar; project.json holds it</source>
            <translation>与工具栏中所选的相同；保存在 project.json 中</translation>
        </message>
        <message>
            <source>Measured on</source>
            <translation>测量于</translation>
        </message>
        <message>
            <source>Column of texts</source>
            <translation>文本列</translation>
        </message>
        <message>
            <source>Column of labels</source>
            <translation>标签列</translation>
        </message>
        <message>
            <source>Share of %1</source>
            <comment>split</comment>
            <translation>%1的比例</translation>
        </message>
        <message>
            <source>Train, validate, test</source>
            <translation>训练、验证、测试</translation>
        </message>
        <message>
            <source>Copies among the rows</source>
            <translation>相同的行</translation>
        </message>
        <message>
            <source>as suits the data</source>
            <translation>视数据而定</translation>
        </message>
        <message>
            <source>A text that is learnt from and tested on makes accuracies too good. Where splits are drawn, copies go to training; of splits that came with the data the earlier ones lose theirs.</source>
            <translation>既用于学习又用于测试的文本会使准确率偏高。抽取划分时，副本归入训练；数据自带划分时，从靠前的划分中去除副本。</translation>
        </message>
        <message>
            <source>Copies</source>
            <translation>副本</translation>
        </message>
        <message>
            <source>Seed</source>
            <translation>随机种子</translation>
        </message>
        <message>
            <source>Of everything that is drawn: splits, order of training, new heads</source>
            <translation>用于一切随机抽取：划分、训练顺序、新的分类头</translation>
        </message>
        <message>
            <source>Train it on these texts</source>
            <translation>用这些文本训练</translation>
        </message>
        <message>
            <source>Off: it is a classifier of these labels and stays as it is</source>
            <translation>关闭：它已是这些标签的分类器，保持不变</translation>
        </message>
        <message>
            <source>Epochs</source>
            <translation>轮数</translation>
        </message>
        <message>
            <source>Tokens of a text, at most</source>
            <translation>每个文本最多的词元数</translation>
        </message>
        <message>
            <source>Tokens at most</source>
            <translation>最多词元数</translation>
        </message>
        <message>
            <source>Rows of each class</source>
            <translation>各类别的行数</translation>
        </message>
        <message>
            <source>What to know about the data</source>
            <translation>关于数据的说明</translation>
        </message>
        <message>
            <source>A folder with train, validation and test</source>
            <translation>包含 train、validation 和 test 的文件夹</translation>
        </message>
        <message>
            <source>Labelled texts</source>
            <translation>带标签的文本</translation>
        </message>
        <message>
            <source>Tables (*.csv *.tsv *.tab *.jsonl *.ndjson)</source>
            <translation>表格 (*.csv *.tsv *.tab *.jsonl *.ndjson)</translation>
        </message>
        <message>
            <source>All files (*)</source>
            <translation>所有文件 (*)</translation>
        </message>
        <message>
            <source>The folder of an encoder</source>
            <translation>编码器的文件夹</translation>
        </message>
        <message>
            <source>Folder in which the project is put</source>
            <translation>存放项目的文件夹</translation>
        </message>
        <message>
            <source>found by itself</source>
            <translation>自动识别</translation>
        </message>
        <message>
            <source>Say which encoder to begin with.</source>
            <translation>请指定起始的编码器。</translation>
        </message>
        <message>
            <source>%1 is no encoder. Choose a model of the kind of BERT.</source>
            <translation>%1 不是编码器。请选择 BERT 一类的模型。</translation>
        </message>
        <message>
            <source>%1 is no classifier: it has to be trained on the texts.</source>
            <translation>%1 不是分类器：必须用文本训练。</translation>
        </message>
        <message>
            <source>Say which folder to create.</source>
            <translation>请指定要创建的文件夹。</translation>
        </message>
        <message>
            <source>%1 does not exist or cannot be written.</source>
            <translation>%1 不存在或无法写入。</translation>
        </message>
        <message>
            <source>%1 exists and is not empty.</source>
            <translation>%1 已存在且不为空。</translation>
        </message>
        <message>
            <source>%1 and %2 say the same: %3</source>
            <comment>places of two rows, text</comment>
            <translation>%1 与 %2 内容相同：%3</translation>
        </message>
        <message>
            <source>Reading the texts…</source>
            <translation>正在读取文本…</translation>
        </message>
        <message>
            <source>Choose labelled texts to see what is in them: their columns, how many rows each class has, duplicates, and copies between the splits.</source>
            <translation>选择带标签的文本，即可查看其内容：列、各类别的行数、重复行以及各划分之间的副本。</translation>
        </message>
        <message>
            <source>Class</source>
            <translation>类别</translation>
        </message>
        <message>
            <source>Train</source>
            <translation>训练</translation>
        </message>
        <message>
            <source>Validate</source>
            <translation>验证</translation>
        </message>
        <message>
            <source>Test</source>
            <translation>测试</translation>
        </message>
        <message>
            <source>Share</source>
            <translation>占比</translation>
        </message>
        <message>
            <source>Making the project…</source>
            <translation>正在创建项目…</translation>
        </message>
        <message>
            <source>CSV, TSV, JSONL or a folder</source>
            <translation>CSV、TSV、JSONL 或文件夹</translation>
        </message>
        <message>
            <source>%1 tells %L2 classes apart, and the texts have %L3. Choose an encoder without a head.</source>
            <translation>%1 区分 %L2 个类别，而文本有 %L3 个类别。请选择没有分类头的编码器。</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ProjectCommands</name>
        <message>
            <source>The project %1 could not be opened</source>
            <translation>无法打开项目 %1</translation>
        </message>
        <message>
            <source>Open a project: the folder with its project.json</source>
            <translation>打开项目：包含 project.json 的文件夹</translation>
        </message>
        <message>
            <source>%1 is not there any more</source>
            <translation>%1 已不存在</translation>
        </message>
        <message>
            <source>none yet</source>
            <translation>暂无</translation>
        </message>
        <message>
            <source>The project&apos;s task could not be read</source>
            <translation>无法读取项目的任务</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ProjectPage</name>
        <message>
            <source>Steps of the project</source>
            <translation>项目的步骤</translation>
        </message>
        <message>
            <source>What was measured</source>
            <translation>测量结果</translation>
        </message>
        <message>
            <source>Accuracies of the test split, which no step learns or chooses from</source>
            <translation>准确率来自测试划分，任何步骤都不用它学习或选择</translation>
        </message>
        <message>
            <source>Run What Is Due</source>
            <translation>运行待办步骤</translation>
        </message>
        <message>
            <source>Does every step that was not done or is stale, in order</source>
            <translation>依次执行所有尚未执行或已过期的步骤</translation>
        </message>
        <message>
            <source>Run Step Again</source>
            <translation>重新运行此步骤</translation>
        </message>
        <message>
            <source>Does the chosen step whatever its inputs say, and before it what it stands on where that is due</source>
            <translation>无论输入是否改变都执行所选步骤；在此之前先执行它所依赖的待办步骤</translation>
        </message>
        <message>
            <source>Stop</source>
            <translation>停止</translation>
        </message>
        <message>
            <source>Cancels the running step; finished steps stay done</source>
            <translation>取消正在运行的步骤；已完成的步骤保持不变</translation>
        </message>
        <message>
            <source>Show on Plot</source>
            <translation>在图中显示</translation>
        </message>
        <message>
            <source>Its runs on the page Pareto, under its task and target</source>
            <translation>在“帕累托”页面以项目的任务和目标显示其运行</translation>
        </message>
        <message>
            <source>Opening %1…</source>
            <translation>正在打开 %1…</translation>
        </message>
        <message>
            <source>A project is a folder in which a model is trained on your labelled texts, made smaller, compared and exported, step by step.</source>
            <translation>项目是一个文件夹：在其中用带标签的文本逐步训练、缩小、比较并导出模型。</translation>
        </message>
        <message>
            <source>Step</source>
            <translation>步骤</translation>
        </message>
        <message>
            <source>What it does</source>
            <translation>内容</translation>
        </message>
        <message>
            <source>State</source>
            <translation>状态</translation>
        </message>
        <message>
            <source>Run</source>
            <translation>运行</translation>
        </message>
        <message>
            <source>Took</source>
            <translation>用时</translation>
        </message>
        <message>
            <source>exported</source>
            <translation>已导出</translation>
        </message>
        <message>
            <source>Accuracy</source>
            <translation>准确率</translation>
        </message>
        <message>
            <source>95 % interval</source>
            <translation>95 % 区间</translation>
        </message>
        <message>
            <source>Points</source>
            <translation>百分点</translation>
        </message>
        <message>
            <source>Validation</source>
            <translation>验证</translation>
        </message>
        <message>
            <source>Latency</source>
            <translation>延迟</translation>
        </message>
        <message>
            <source>× base</source>
            <translation>× 基准</translation>
        </message>
        <message>
            <source>Size</source>
            <translation>大小</translation>
        </message>
        <message>
            <source>Recipe</source>
            <translation>配方</translation>
        </message>
        <message>
            <source>* another accuracy than the base&apos;s on the same rows (McNemar, 5 %)</source>
            <translation>* 在相同的行上与基准的准确率不同（McNemar，5 %）</translation>
        </message>
        <message>
            <source>Step %1</source>
            <translation>步骤 %1</translation>
        </message>
        <message>
            <source>the queue is held</source>
            <translation>队列已暂停</translation>
        </message>
        <message>
            <source>waits in the queue</source>
            <translation>在队列中等待</translation>
        </message>
        <message>
            <source>%1 left</source>
            <translation>剩余 %1</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::ConfusionModel</name>
        <message>
            <source>No row is of the class %1.</source>
            <translation>没有属于类别 %1 的行。</translation>
        </message>
        <message>
            <source>%1 taken for %2: %L3 of %L4 rows (%5)</source>
            <comment>true class, predicted class, counts, share</comment>
            <translation>%1 被判为 %2：%L4 行中的 %L3 行（%5）</translation>
        </message>
        <message numerus="yes">
            <source>%1: %Ln row(s) of this class</source>
            <translation>
                <numerusform>%1：此类别有 %Ln 行</numerusform>
            </translation>
        </message>
        <message numerus="yes">
            <source>%1: %Ln row(s) predicted as this class</source>
            <translation>
                <numerusform>%1：%Ln 行被预测为此类别</numerusform>
            </translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::Courier</name>
        <message>
            <source>rsync could not be started; install it here and on %1</source>
            <translation>无法启动 rsync；请在本机和 %1 上安装它</translation>
        </message>
        <message>
            <source>%1 did not arrive as it is here</source>
            <translation>%1 到达后与本机的不一致</translation>
        </message>
        <message>
            <source>rsync ended with code %1</source>
            <translation>rsync 以代码 %1 结束</translation>
        </message>
        <message>
            <source>%1 on %2</source>
            <comment>folder, machine</comment>
            <translation>%2 上的 %1</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::HostDialog</name>
        <message>
            <source>Machine %1</source>
            <translation>机器 %1</translation>
        </message>
        <message>
            <source>Another machine</source>
            <translation>其他机器</translation>
        </message>
        <message>
            <source>Runs are measured there by &lt;code&gt;pareto&lt;/code&gt;, which ssh starts. Keys or an agent must answer for you: &lt;code&gt;ssh HOST true&lt;/code&gt; asks nothing.</source>
            <translation>运行由那里的 &lt;code&gt;pareto&lt;/code&gt; 测量，由 ssh 启动。须由密钥或代理代您应答：&lt;code&gt;ssh HOST true&lt;/code&gt; 不得提出任何询问。</translation>
        </message>
        <message>
            <source>gpu-box or user@gpu-box</source>
            <comment>example of a host</comment>
            <translation>gpu-box 或 user@gpu-box</translation>
        </message>
        <message>
            <source>As the shell there finds it; the same version as this studio</source>
            <translation>那里的 shell 能找到的程序；版本与本程序相同</translation>
        </message>
        <message>
            <source>Models and data lie there under the same paths</source>
            <translation>那里的模型和数据路径与本机相同</translation>
        </message>
        <message>
            <source>As on a shared file system. Else what a run reads is copied there by rsync, once for each content</source>
            <translation>例如共享文件系统。否则运行所读的文件由 rsync 复制过去，相同内容只复制一次</translation>
        </message>
        <message>
            <source>Host</source>
            <translation>主机</translation>
        </message>
        <message>
            <source>Program there</source>
            <translation>那里的程序</translation>
        </message>
        <message>
            <source>Remove</source>
            <translation>移除</translation>
        </message>
        <message>
            <source>A host is a name as ssh takes it, a program a path: letters, digits and . _ - / @ ~</source>
            <translation>主机是 ssh 接受的名称，程序是路径：字母、数字和 . _ - / @ ~</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::PartTimelinePanel</name>
        <message>
            <source>Step of the timeline</source>
            <translation>时间线的步骤</translation>
        </message>
        <message>
            <source>Save Timeline…</source>
            <translation>保存时间线…</translation>
        </message>
        <message>
            <source>Writes the recorded pass as a trace file for chrome://tracing or Perfetto</source>
            <translation>将记录的一次推理写成跟踪文件，可用 chrome://tracing 或 Perfetto 打开</translation>
        </message>
        <message>
            <source>Divide the model in the target (tp or pp) and run it: what each of its processes did in one step stands here.</source>
            <translation>在目标中划分模型（tp 或 pp）并运行：此处显示每个进程在一步中做了什么。</translation>
        </message>
        <message>
            <source>Run #%1 has no timeline: its model was not divided among processes, or it was not timed.</source>
            <translation>运行 #%1 没有时间线：其模型没有划分给多个进程，或者没有计时。</translation>
        </message>
        <message>
            <source>Run #%1: %2 · %3</source>
            <translation>运行 #%1：%2 · %3</translation>
        </message>
        <message>
            <source>Prompt and first token</source>
            <translation>提示与首个词元</translation>
        </message>
        <message>
            <source>One token</source>
            <translation>一个词元</translation>
        </message>
        <message>
            <source>One pass</source>
            <translation>一次推理</translation>
        </message>
        <message>
            <source>%1 ms</source>
            <translation>%1 毫秒</translation>
        </message>
        <message>
            <source>all processes: %1 computing, %2 exchanging, %3 waiting</source>
            <translation>所有进程：%1 计算，%2 交换，%3 等待</translation>
        </message>
        <message>
            <source>bubble %1</source>
            <translation>气泡 %1</translation>
        </message>
        <message>
            <source>clocks of machines agree to ± %1 µs</source>
            <translation>各机器时钟一致到 ± %1 µs</translation>
        </message>
        <message>
            <source>exchanging includes waiting, which is not known apart across machines</source>
            <translation>交换中包含等待；跨机器时无法分开得知</translation>
        </message>
        <message>
            <source>Save Timeline</source>
            <translation>保存时间线</translation>
        </message>
        <message>
            <source>Traces (*.json)</source>
            <translation>跟踪文件 (*.json)</translation>
        </message>
        <message>
            <source>The timeline was not saved</source>
            <translation>时间线未保存</translation>
        </message>
    </context>
    <context>
        <name>pareto::studio::ScalingPage</name>
        <message numerus="yes">
            <source>%Ln replica(s)</source>
            <translation>
                <numerusform>%Ln 个副本</numerusform>
            </translation>
        </message>
        <message>
            <source>one process</source>
            <translation>一个进程</translation>
        </message>
        <message>
            <source>Divisions, predicted and measured</source>
            <translation>各种划分：预测与实测</translation>
        </message>
        <message>
            <source>Figures and timeline</source>
            <translation>数值与时间线</translation>
        </message>
        <message>
            <source>Predicted and measured</source>
            <translation>预测与实测</translation>
        </message>
        <message>
            <source>One step by rank</source>
            <translation>各进程的一步</translation>
        </message>
        <message>
            <source>Step of the model</source>
            <translation>模型的步骤</translation>
        </message>
        <message>
            <source>What is shown</source>
            <translation>显示内容</translation>
        </message>
        <message>
            <source>Throughput</source>
            <translation>吞吐量</translation>
        </message>
        <message>
            <source>Time of a step</source>
            <translation>一步的时间</translation>
        </message>
        <message>
            <source>Predict</source>
            <translation>预测</translation>
        </message>
        <message>
            <source>Predict scaling</source>
            <translation>预测扩展性</translation>
        </message>
        <message>
            <source>Link:</source>
            <translation>链路：</translation>
        </message>
        <message>
            <source>Link between the processes</source>
            <translation>进程之间的链路</translation>
        </message>
        <message>
            <source>measured between processes here</source>
            <translation>在本机进程之间实测</translation>
        </message>
        <message>
            <source>own numbers</source>
            <translation>自定数值</translation>
        </message>
        <message>
            <source>What is between the processes. Named ones are typical numbers and line rates; change them to yours.</source>
            <translation>进程之间的连接。列出名称的是典型延迟与线路速率；请改成您自己的数值。</translation>
        </message>
        <message>
            <source>Latency of the link in microseconds</source>
            <translation>链路延迟（微秒）</translation>
        </message>
        <message>
            <source>Bandwidth of the link in gigabytes a second</source>
            <translation>链路带宽（每秒吉字节）</translation>
        </message>
        <message>
            <source>Measure here too</source>
            <translation>同时在本机实测</translation>
        </message>
        <message>
            <source>Also divides the model among this machine's cores in every way they allow, and times each</source>
            <translation>同时按本机核心允许的每种方式划分模型，并逐一计时</translation>
        </message>
        <message>
            <source>The prediction is waiting.</source>
            <translation>预测正在等待。</translation>
        </message>
        <message>
            <source>Predicting: %1</source>
            <translation>正在预测：%1</translation>
        </message>
        <message>
            <source>The prediction failed: %1</source>
            <translation>预测失败：%1</translation>
        </message>
        <message>
            <source>The prediction was stopped.</source>
            <translation>预测已停止。</translation>
        </message>
        <message>
            <source>Open a model to predict how it runs on 2 to 1,024 processes.</source>
            <translation>打开一个模型，以预测它在 2 到 1,024 个进程上的运行情况。</translation>
        </message>
        <message>
            <source>Predict shows how the model with its recipe would run on 2 to 1,024 processes, from its layers' times in one process and a link.</source>
            <translation>预测根据各层在一个进程中的耗时和一条链路，显示模型及其配方在 2 到 1,024 个进程上会如何运行。</translation>
        </message>
        <message>
            <source>%1 each</source>
            <comment>target of each process</comment>
            <translation>每个进程 %1</translation>
        </message>
        <message>
            <source>disturbed by other programs</source>
            <translation>受到其他程序干扰</translation>
        </message>
        <message>
            <source>%1 µs, %2 GB/s</source>
            <translation>%1 µs，%2 GB/s</translation>
        </message>
        <message>
            <source>Lines are predictions from the layers' times in one process and a link of %1 (measured here); points are measured.</source>
            <translation>线是预测，依据各层在一个进程中的耗时和链路 %1（本机实测）；点是实测。</translation>
        </message>
        <message>
            <source>Lines are predictions from the layers' times in one process and a link of %1 (as given); points are measured here.</source>
            <translation>线是预测，依据各层在一个进程中的耗时和链路 %1（给定）；点是本机实测。</translation>
        </message>
        <message>
            <source>No division was measured: %1.</source>
            <translation>没有实测任何划分：%1。</translation>
        </message>
        <message>
            <source>Prompt and first token</source>
            <translation>提示与首个词元</translation>
        </message>
        <message>
            <source>One token</source>
            <translation>一个词元</translation>
        </message>
        <message>
            <source>One pass</source>
            <translation>一次推理</translation>
        </message>
        <message>
            <source>Time of a step, ms</source>
            <translation>一步的时间，毫秒</translation>
        </message>
        <message>
            <source>Tokens a second</source>
            <translation>每秒词元数</translation>
        </message>
        <message>
            <source>Processes</source>
            <translation>进程</translation>
        </message>
        <message>
            <source>Division</source>
            <translation>划分</translation>
        </message>
        <message>
            <source>Predicted, ms</source>
            <translation>预测，毫秒</translation>
        </message>
        <message>
            <source>Measured, ms</source>
            <translation>实测，毫秒</translation>
        </message>
        <message>
            <source>95 % interval</source>
            <translation>95 % 区间</translation>
        </message>
        <message>
            <source>Error</source>
            <translation>误差</translation>
        </message>
        <message>
            <source>Speed-up</source>
            <translation>加速比</translation>
        </message>
        <message>
            <source>Efficiency</source>
            <translation>效率</translation>
        </message>
        <message>
            <source>Sums</source>
            <translation>求和</translation>
        </message>
        <message>
            <source>Handing on</source>
            <translation>传递</translation>
        </message>
        <message>
            <source>Bubble</source>
            <translation>气泡</translation>
        </message>
        <message>
            <source>Exchanged</source>
            <translation>交换</translation>
        </message>
        <message>
            <source>Waited</source>
            <translation>等待</translation>
        </message>
        <message>
            <source>%1 to %2</source>
            <translation>%1 至 %2</translation>
        </message>
        <message>
            <source>Bold: the division with the shortest predicted step among as many processes. Error: predicted ÷ measured − 1. Speed-up and efficiency are of what was measured, else of what is predicted. Sums, handing on and bubble are predicted shares of the time; exchanged and waited are what rank 0 was measured to spend.</source>
            <translation>粗体：相同进程数中预测一步最短的划分。误差：预测 ÷ 实测 − 1。加速比和效率按实测计算，没有实测时按预测计算。求和、传递与气泡是预测的时间占比；交换与等待是进程 0 实测的时间占比。</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::ScalingPlot</name>
        <message>
            <source>measured %1, 95 % interval %2 to %3</source>
            <translation>实测 %1，95 % 区间 %2 至 %3</translation>
        </message>
        <message>
            <source>predicted %1, error %2 %</source>
            <translation>预测 %1，误差 %2 %</translation>
        </message>
        <message>
            <source>ideal</source>
            <translation>理想</translation>
        </message>
        <message>
            <source>predicted: tensor parallel</source>
            <translation>预测：张量并行</translation>
        </message>
        <message>
            <source>predicted: stages</source>
            <translation>预测：流水线阶段</translation>
        </message>
        <message>
            <source>predicted: replicas</source>
            <translation>预测：副本</translation>
        </message>
        <message>
            <source>predicted: shortest step</source>
            <translation>预测：最短的一步</translation>
        </message>
        <message>
            <source>measured, 95 % interval</source>
            <translation>实测，95 % 区间</translation>
        </message>
        <message>
            <source>Processes</source>
            <translation>进程</translation>
        </message>
        <message>
            <source>Scaling with the number of processes: predicted and measured</source>
            <translation>随进程数的扩展性：预测与实测</translation>
        </message>
    </context>
    <context>
        <name>pareto::widgets::StepTimelinePlot</name>
        <message>
            <source>computing</source>
            <translation>计算</translation>
        </message>
        <message>
            <source>exchanging values with the parts of its stage</source>
            <translation>与同一阶段的其他部分交换数值</translation>
        </message>
        <message>
            <source>handing states from stage to stage</source>
            <translation>在阶段之间传递状态</translation>
        </message>
        <message>
            <source>waiting for a part of its stage</source>
            <translation>等待同一阶段的其他部分</translation>
        </message>
        <message>
            <source>waiting for another stage</source>
            <translation>等待另一阶段</translation>
        </message>
        <message>
            <source>waiting to hear what to do</source>
            <translation>等待指令</translation>
        </message>
        <message>
            <source>Rank %1 on %2, stage %3</source>
            <translation>%2 上的进程 %1，阶段 %3</translation>
        </message>
        <message>
            <source>%1 ms: from %2 to %3 ms</source>
            <translation>%1 毫秒：从 %2 到 %3 毫秒</translation>
        </message>
        <message>
            <source>Time in the step, ms</source>
            <translation>步内时间，毫秒</translation>
        </message>
        <message>
            <source>Rank %1</source>
            <translation>进程 %1</translation>
        </message>
        <message>
            <source>exchanging</source>
            <translation>交换</translation>
        </message>
        <message>
            <source>handing on</source>
            <translation>传递</translation>
        </message>
        <message>
            <source>waiting for its stage</source>
            <translation>等待同一阶段</translation>
        </message>
        <message>
            <source>nothing to do</source>
            <translation>无事可做</translation>
        </message>
        <message>
            <source>What each process did in one step</source>
            <translation>每个进程在一步中做了什么</translation>
        </message>
        <message>
            <source>Rank %1: %2 % computing, %3 % exchanging, %4 % waiting</source>
            <translation>进程 %1：计算 %2 %，交换 %3 %，等待 %4 %</translation>
        </message>
    </context>
</TS>
