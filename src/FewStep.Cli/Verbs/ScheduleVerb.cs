using System.CommandLine;
using System.Globalization;
using FewStep.Cli.Terminal;
using FewStep.Noise;
using FewStep.Search;
using FewStep.Solvers;
using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep schedule</c>: finds the best schedules of any number of steps, by Phase 1 or by any other optimiser.</summary>
internal static class ScheduleVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var (model, data) = (SharedOptions.Model(", an ONNX file, or the JSON file of a Gaussian mixture"), SharedOptions.Data());
        var output = new Option<string>("--out") { Description = "Folder for loss-curve.json and the schedule files.", DefaultValueFactory = _ => Path.Combine("runs", "schedules"), HelpName = "folder" };
        var steps = new Option<string>("--steps") { Description = "Numbers of steps, e.g. 3,4,5,6,8,10: one estimate serves all.", DefaultValueFactory = _ => "3,4,5,6,8,10" };
        var power = new Option<double>("--power") { Description = "Weighting g(sigma) of the discretization loss: 0 is -ln sigma, p above 0 is sigma^-p. Power 1, the literal reading, is always reported too.", DefaultValueFactory = _ => 0 };
        var curve = new Option<string?>("--curve") { Description = "A loss-curve.json to use instead of measuring one.", HelpName = "file" };
        var optimizers = new Option<string?>("--optimizer") { Description = $"Optimisers, separated by commas: {string.Join(", ", ScheduleOptimizerCatalog.Names)}; some take a parameter, e.g. gits:1.15. Default: phase1.", HelpName = "names" };
        var solver = new Option<string>("--solver") { Description = "Solver that schedules are made for, by optimisers that look at it (dm-nonuniform, endpoint).", DefaultValueFactory = _ => "euler" };
        var images = new Option<int?>("--search-images") { Description = "Latents or images of a search with trajectories; left out, each optimiser's own number." };
        var listSchedules = new Option<bool>("--list-schedules") { Description = "List the standard schedules and stop." };
        var list = new Option<bool>("--list-optimizers") { Description = "List the optimisers and stop." };
        var (curveOptions, about) = (new LossCurveFlags(), new ModelFlags());
        var (dtype, seed, threads, json) = (SharedOptions.Dtype(), SharedOptions.Seed(), SharedOptions.Threads(), SharedOptions.Json());
        var command = new Command("schedule", "Phase 1: find the best sampling schedules for a model.") { model, data, output, steps, power, curve, optimizers, solver, images, list, listSchedules, dtype, seed, threads, json };
        curveOptions.AddTo(command);
        foreach (var option in about.All)
        {
            command.Add(option);
        }

        command.SetAction((parsed, cancellation) =>
        {
            if (parsed.GetValue(listSchedules))
            {
                StandardScheduleList.Show(terminal, parsed.GetValue(json));
                return Task.FromResult(0);
            }

            if (parsed.GetValue(list))
            {
                OptimizerList.Show(terminal, parsed.GetValue(json));
                return Task.FromResult(0);
            }

            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            var numbers = NumberList.Steps(parsed.GetRequiredValue(steps), "--steps");
            var weightings = DiscretizationLossOptimizer.Weightings(parsed.GetValue(power));
            var choices = Choices(parsed.GetValue(optimizers));
            var madeFor = SolverCatalog.Find(parsed.GetRequiredValue(solver));
            string folder = parsed.GetRequiredValue(output);
            using var source = SampledModel.OpenAny(parsed.GetRequiredValue(model), null, about.Read(parsed, parsed.GetValue(dtype), parsed.GetValue(threads)));
            var denoiser = source.Denoiser;
            long runSeed = parsed.GetValue(seed);
            var measurement = curveOptions.Read(parsed) with { Seed = runSeed, Steps = numbers, Weightings = weightings, ModelHash = source.Hash };
            using var inputs = new SearchInputs(denoiser, parsed.GetRequiredValue(data), parsed.GetValue(curve), measurement, folder, terminal, cancellation);
            var context = new ScheduleSearchContext
            {
                Denoiser = denoiser,
                Solver = madeFor,
                // An optimiser that can do without the curve gets it where it is known or measured anyway.
                LossCurve = parsed.GetValue(curve) is not null || choices.Any(c => c.Entry.NeedsLossCurve) ? inputs.LossCurve : null,
                TrainingImages = inputs.TrainingImages,
                Images = parsed.GetValue(images),
                FirstSeed = SeedPlan.Searched(runSeed),
            };
            var request = new ScheduleSearchRequest { Steps = numbers, SigmaMin = denoiser.SigmaMin, SigmaMax = denoiser.SigmaMax };
            context.Validate();
            request.Validate();
            List<FoundSchedule> found = [];
            foreach (var choice in choices)
            {
                bool bothPowers = choice is { Entry.Name: "phase1", Parameter: null };
                var optimizer = bothPowers ? new DiscretizationLossOptimizer(inputs.LossCurve(), weightings) : choice.Create(context);
                var results = optimizer.Search(request, terminal.Progress, cancellation);
                found.AddRange(results.Select(result => FoundSchedule.Write(
                    folder,
                    choice,
                    choice.Entry.IsForSolver ? madeFor.Name : "euler",
                    result,
                    new ScheduleRecord(result.Schedule) { ModelHash = source.Hash, DataHash = inputs.DataHash, Seed = choice.Entry.NeedsLossCurve ? inputs.Measured?.Origin.Seed : runSeed })));
            }

            terminal.Result(
                parsed.GetValue(json),
                new { network_evaluations = inputs.Measured?.Origin.NetworkEvaluations, images = inputs.Measured?.Images, stop = inputs.Measured?.Origin.Stop, schedules = found },
                console => Show(console, inputs.Measured, found, parsed.GetValue(optimizers) is null));
            return Task.FromResult(0);
        });
        return command;
    }

    private static IReadOnlyList<ScheduleOptimizerChoice> Choices(string? text) =>
        [.. (text ?? "phase1").Split(',', StringSplitOptions.TrimEntries).Distinct().Select(ScheduleOptimizerCatalog.Find)];

    private static void Show(IAnsiConsole console, LossCurve? measured, List<FoundSchedule> found, bool phase1Alone)
    {
        console.Write(phase1Alone ? FoundSchedule.Phase1Table(found) : FoundSchedule.OptimizerTable(found));
        if (measured is not null)
        {
            console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"Loss curve: {measured.Images:N0} images, {measured.Origin.NetworkEvaluations:N0} network evaluations, {measured.Origin.Seconds:F0} s; {measured.Origin.Quality}."));
            foreach (string remark in measured.Remarks())
            {
                console.WriteLine(remark);
            }
        }

        console.WriteLine($"Schedule files are in {Path.GetDirectoryName(found[0].File)}.");
    }
}
