using System.CommandLine;
using System.Globalization;
using FewStep.Checkpoints;
using FewStep.Cli.Terminal;
using FewStep.Data;
using FewStep.Noise;
using FewStep.Runs;
using FewStep.ScheduleSearch;
using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep schedule</c>: Phase 1. Measures the model's loss curve once and finds the best schedules of any number of steps on it.</summary>
internal static class ScheduleVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var (model, data) = (SharedOptions.Model(), SharedOptions.Data());
        var output = new Option<string>("--out") { Description = "Folder for loss-curve.json and the schedule files.", DefaultValueFactory = _ => Path.Combine("runs", "schedules"), HelpName = "folder" };
        var steps = new Option<string>("--steps") { Description = "Numbers of steps, e.g. 3,4,5,6,8,10: one estimate serves all.", DefaultValueFactory = _ => "3,4,5,6,8,10" };
        var power = new Option<double>("--power") { Description = "Weighting g(sigma) of the discretization loss: 0 is -ln sigma, p above 0 is sigma^-p. Power 1, the literal reading, is always reported too.", DefaultValueFactory = _ => 0 };
        var curve = new Option<string?>("--curve") { Description = "A loss-curve.json to use instead of measuring one.", HelpName = "file" };
        var list = new Option<bool>("--list-schedules") { Description = "List the standard schedules and do nothing else." };
        var curveOptions = new LossCurveFlags();
        var (dtype, seed, threads, json) = (SharedOptions.Dtype(), SharedOptions.Seed(), SharedOptions.Threads(), SharedOptions.Json());
        var command = new Command("schedule", "Phase 1: find the best sampling schedules for a model.") { model, data, output, steps, power, curve, list, dtype, seed, threads, json };
        curveOptions.AddTo(command);
        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(list))
            {
                StandardScheduleList.Show(terminal, parsed.GetValue(json));
                return Task.FromResult(0);
            }

            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            var numbers = NumberList.Steps(parsed.GetRequiredValue(steps), "--steps");
            var weightings = DiscretizationLossOptimizer.Weightings(parsed.GetValue(power));
            string folder = parsed.GetRequiredValue(output);
            using var source = ModelSource.Open(parsed.GetRequiredValue(model));
            var denoiser = source.Denoiser;
            denoiser.ComputeType = parsed.GetValue(dtype);
            string? dataHash = null;
            LossCurve measured;
            if (parsed.GetValue(curve) is string file)
            {
                measured = LossCurveFile.Read(file);
            }
            else
            {
                using var images = ImageSets.Open(parsed.GetRequiredValue(data), DataSplit.Train, terminal.Progress, cancellation);
                var options = curveOptions.Read(parsed) with { Seed = parsed.GetValue(seed), Steps = numbers, Weightings = weightings };
                measured = new LossCurveEstimator(denoiser, new TrainingImages(images), options).Estimate(terminal.Progress, cancellation);
                dataHash = images.Hash;
                LossCurveFile.Write(Path.Combine(folder, "loss-curve.json"), measured);
            }

            var request = new ScheduleSearchRequest { Steps = numbers, SigmaMin = denoiser.SigmaMin, SigmaMax = denoiser.SigmaMax };
            var results = new DiscretizationLossOptimizer(measured, weightings).Search(request, terminal.Progress, cancellation);
            var found = results.Select((result, i) => Write(folder, result, weightings[i / numbers.Count].Name, source.Hash, dataHash, measured)).ToList();
            terminal.Result(parsed.GetValue(json), new { network_evaluations = measured.Origin.NetworkEvaluations, images = measured.Images, stop = measured.Origin.Stop, schedules = found }, console => Show(console, measured, found));
            return Task.FromResult(0);
        });
        return command;
    }

    private static FoundSchedule Write(string folder, ScheduleSearchResult result, string weighting, string modelHash, string? dataHash, LossCurve measured)
    {
        string path = Path.Combine(folder, $"phase1-{weighting.Replace(' ', '-')}-n{result.Schedule.Steps}{ScheduleFile.Extension}");
        ScheduleFile.Write(path, new ScheduleRecord(result.Schedule)
        {
            Solver = "euler",
            Objective = result.Objective,
            Loss = result.Loss is { Low: { } low, High: { } high } ? new ScheduleLoss(result.Loss.Value, low, high) : null,
            Evaluations = result.NetworkEvaluations,
            ModelHash = modelHash,
            DataHash = dataHash,
            Seed = measured.Origin.Seed,
        });
        return new FoundSchedule(result.Schedule.Steps, weighting, [.. result.Schedule.Sigmas], result.Loss.Value, result.Loss.Low, result.Loss.High, result.Bound, result.StopReason, path);
    }

    private static void Show(IAnsiConsole console, LossCurve measured, List<FoundSchedule> found)
    {
        var table = new Table().AddColumns("weighting", "N", "discretization loss (95 %)", "sigmas");
        foreach (var schedule in found)
        {
            string loss = string.Create(CultureInfo.InvariantCulture, $"{schedule.Loss:G4} [{schedule.LossLow:G4}, {schedule.LossHigh:G4}]");
            table.AddRow(schedule.Weighting, schedule.Steps.ToString(CultureInfo.InvariantCulture), Markup.Escape(loss), string.Join(", ", schedule.Sigmas.Select(s => s.ToString("G4", CultureInfo.InvariantCulture))));
        }

        console.Write(table);
        console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"Loss curve: {measured.Images:N0} images, {measured.Origin.NetworkEvaluations:N0} network evaluations, {measured.Origin.Seconds:F0} s; {measured.Origin.Stop} at {100 * measured.Origin.RelativeHalfWidth:F1} %."));
        console.WriteLine($"Schedule files are in {Path.GetDirectoryName(found[0].File)}.");
    }

    private sealed record FoundSchedule(
        int Steps,
        string Weighting,
        IReadOnlyList<double> Sigmas,
        double Loss,
        double? LossLow,
        double? LossHigh,
        double? Bound,
        string StopReason,
        string File);
}
