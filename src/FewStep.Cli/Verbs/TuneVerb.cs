using System.CommandLine;
using System.Globalization;
using FewStep.Checkpoints;
using FewStep.Cli.Terminal;
using FewStep.Data;
using FewStep.FineTuning;
using FewStep.Noise;
using FewStep.Runtime;
using FewStep.Training;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep tune</c>: Phase 2. Fine-tunes a model to one sampling schedule.</summary>
internal static class TuneVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var (model, data) = (SharedOptions.Model(), SharedOptions.Data());
        var schedule = new Option<string>("--schedule") { Description = "Schedule to tune to: a *.schedule.json file, or a standard schedule's name with --steps.", Required = true };
        var steps = new Option<int?>("--steps") { Description = "Number of steps, for a standard schedule's name." };
        var output = new Option<string>("--out") { Description = "Folder for checkpoints, curve, model and snapshots; a tuning found there is resumed.", Required = true, HelpName = "folder" };
        var every = new Option<double>("--checkpoint-seconds") { Description = "Seconds between checkpoints.", DefaultValueFactory = _ => 60 };
        var tuning = new TuningFlags();
        var (dtype, seed, threads, json) = (SharedOptions.Dtype(), SharedOptions.Seed(), SharedOptions.Threads(), SharedOptions.Json());
        var command = new Command("tune", "Phase 2: fine-tune a model to a schedule. Interrupt with Ctrl-C and repeat the command to resume.") { model, schedule, steps, output, data, every, dtype, seed, threads, json };
        tuning.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            var options = tuning.Read(parsed) with { Seed = parsed.GetValue(seed), ComputeType = parsed.GetValue(dtype) };
            options.Validate();
            using var source = ModelSource.Open(parsed.GetRequiredValue(model));
            var target = ScheduleArgument.Open(parsed.GetRequiredValue(schedule), parsed.GetValue(steps), source.Denoiser);
            using var images = options.Loss == TuningLoss.Denoise ? ImageSets.Open(parsed.GetRequiredValue(data), progress: terminal.Progress, cancellation: cancellation) : null;
            string folder = parsed.GetRequiredValue(output);
            var run = new TuningRun(source.Config, source.Denoiser, target.Schedule, options, new TuningRunOptions { Folder = folder, CheckpointSeconds = parsed.GetValue(every) }, images is null ? null : TuningImages.Split(images));
            using var events = new EventLog(Path.Combine(folder, "events"));
            var observer = new TuningObserver { Progress = terminal.Progress, Update = events.Training, Point = point => events.Scalar("tune/held_out", point.HeldOut, point.Update) };
            var report = run.Execute(observer, cancellation);
            if (report.Stop == TuningStop.Diverged)
            {
                throw new InvalidInputException($"Tuning diverged: {report.Explanation}. The best weights so far are in {run.ModelPath}; tune again with another --out.");
            }

            ScheduleFile.Write(Path.Combine(folder, "run.schedule.json"), new ScheduleRecord(target.Schedule) { Solver = "euler", ModelHash = source.Hash, Seed = options.Seed });
            terminal.Result(parsed.GetValue(json), report, console => console.Profile.Out.Writer.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{Sentence(report.Explanation)} {Gain(report)}{report.Evaluations.Forward:N0} network evaluations, {report.Seconds:F0} s. The model is in {run.ModelPath}.")));
            return Task.FromResult(report.Stop == TuningStop.Cancelled ? ExitCode.Interrupted : ExitCode.Success);
        });
        return command;
    }

    private static string Sentence(string clause) => $"{char.ToUpperInvariant(clause[0])}{clause[1..]}.";

    // Stopped before anything was measured, there is nothing to compare.
    private static string Gain(TuningReport report) => report.Curve.Count == 0 ? "" : string.Create(
        CultureInfo.InvariantCulture,
        $"{report.HeldOutMetric}: {report.Curve[0].HeldOut:G4} before, {report.BestHeldOut:G4} at update {report.BestUpdate} of {report.Updates}. ");
}
