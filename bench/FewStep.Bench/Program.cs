using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Order;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.NoEmit;
using FewStep.Bench;


// --threads N limits libtorch to N threads, for machines that do other work meanwhile; --log shows every iteration.
int at = Array.IndexOf(args, "--threads");
if (at >= 0 && at + 1 < args.Length && int.TryParse(args[at + 1], out int threads) && threads > 0)
    BenchModel.Threads = threads;

if (args is ["full-size", ..])
    return FullSize.Run(args[1..]);

if (args is ["device", ..])
    return DeviceSpeed.Run(args[1..]);

if (args is ["cells", ..])
    return ManyCells.Run(args[1..]);

if (args is ["onnx", ..])
    return OnnxSpeed.Run(args[1..]);

// In this process: a generated project would have to find libtorch again.
var job = Job.Default
    .WithToolchain(InProcessNoEmitToolchain.Instance)
    .WithWarmupCount(1)
    .WithIterationCount(5)
    .WithInvocationCount(1)
    .WithUnrollFactor(1);
var config = ManualConfig.CreateEmpty()
    .AddJob(job)
    .AddLogger(args.Contains("--log") ? ConsoleLogger.Default : NullLogger.Instance)
    .AddColumnProvider(DefaultColumnProviders.Instance)
    .AddLogicalGroupRules(BenchmarkLogicalGroupRule.ByCategory)
    .WithOrderer(new DefaultOrderer(SummaryOrderPolicy.Declared, MethodOrderPolicy.Declared))
    .AddColumn(StatisticColumn.Min, StatisticColumn.OperationsPerSecond)
    .HideColumns(Column.Type, Column.Categories, Column.Error, Column.StdDev, Column.Median, Column.RatioSD)
    .WithOptions(ConfigOptions.JoinSummary)
    .WithArtifactsPath(Path.Combine(Path.GetTempPath(), "fewstep-bench"));

Console.WriteLine("Measuring for one to three minutes. What a row counts stands in brackets; Op/s are those a second; Ratio is to the "
    + "first row of a group.");
var summary = BenchmarkRunner.Run(
    [typeof(ForwardBenchmarks), typeof(TrainingBenchmarks), typeof(SamplerBenchmarks), typeof(ScheduleSearchBenchmarks)], config)[0];
MarkdownExporter.Console.ExportToLog(summary, ConsoleLogger.Default);
bool complete = summary.Reports.Length == summary.BenchmarksCases.Length && summary.Reports.All(r => r.Success)
    && !summary.HasCriticalValidationErrors;
if (!complete)
    Console.Error.WriteLine("Not everything could be measured; --log shows why.");

return complete ? 0 : 1;
