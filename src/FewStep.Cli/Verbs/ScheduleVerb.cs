using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep schedule</c>: finds the best schedules of any number of steps, by Phase 1 or by any other optimiser.</summary>
internal static class ScheduleVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var defaults = new FindOptions();
        var (model, data) = (SharedOptions.Model(", an ONNX file, or the JSON file of a Gaussian mixture"), SharedOptions.Data());
        var output = Flag.Of("--out", "Folder for loss-curve.json and the sampler files.", Path.Combine("runs", "schedules"), "folder");
        var steps = Flag.Of("--steps", "Numbers of steps, e.g. 3,4,5,6,8,10: one estimate serves all.", "3,4,5,6,8,10");
        var power = Flag.Of("--power", "Weighting g(sigma) of the discretization loss: 0 is -ln sigma, p above 0 is sigma^-p. "
            + "Power 1, the literal reading, is always reported too.", defaults.Power);
        var optimizers = Flag.Optional<string?>(
            "--optimizer", $"Optimisers, separated by commas: {string.Join(", ", ScheduleOptimizerCatalog.Names)}; "
                + $"some take a parameter, e.g. gits:1.15. Default: {defaults.Search}.", "names");
        var solver = Flag.Of("--solver", "Solver of the samplers; some optimisers look at it.", defaults.Solver);
        var images = Flag.Optional<int?>(
            "--search-images", "Latents or images of a search with trajectories; left out, each optimiser's own number.");
        var listSchedules = Flag.Optional<bool>("--list-schedules", "List the standard schedules and stop.");
        var list = Flag.Optional<bool>("--list-optimizers", "List the optimisers and stop.");
        var (curveOptions, about) = (new LossCurveFlags(), new ModelFlags());
        var (dtype, seed, threads, json) = (SharedOptions.Dtype(), SharedOptions.Seed(), SharedOptions.Threads(), SharedOptions.Json());
        var command = new Command("schedule", "Phase 1: find the best sampling schedules for a model.")
        {
            model, data, output, steps, power, curveOptions.File, optimizers, solver, images, list, listSchedules, dtype, seed, threads,
            json,
        };
        curveOptions.AddTo(command);
        foreach (var option in about.All)
            command.Add(option);

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
            string folder = parsed.GetRequiredValue(output);
            var options = new FindOptions
            {
                Solver = SolverCatalog.Find(parsed.GetRequiredValue(solver)).Name,
                Curve = curveOptions.Read(parsed),
                Power = new PowerWeighting(parsed.GetValue(power)).Power,
                Images = parsed.GetValue(images),
                Seed = parsed.GetValue(seed),
            };
            var choices = Choices(parsed.GetValue(optimizers) ?? options.Search);
            using var source = Model.Open(
                parsed.GetRequiredValue(model), about.Read(parsed, parsed.GetValue(dtype), parsed.GetValue(threads)));
            options = options with { LossCurve = curveOptions.ReadFile(parsed, source.Hash) };
            using var training = new DelayedImages(parsed.GetRequiredValue(data), terminal.Progress, cancellation);
            var search = new SamplerSearch(source, () => training.Value, numbers, options)
            {
                CurveMeasured = curve => LossCurveFile.Write(Path.Combine(folder, "loss-curve.json"), curve),
            };
            List<FoundSchedule> found =
                [.. search.Find(choices, terminal.Progress, cancellation).Select(f => FoundSchedule.Write(folder, f))];
            var measured = search.Curve;
            terminal.Result(
                parsed.GetValue(json),
                new
                {
                    network_evaluations = measured?.Origin.NetworkEvaluations,
                    images = measured?.Images,
                    stop = measured?.Origin.Stop,
                    schedules = found
                },
                console => Show(console, measured, found, parsed.GetValue(optimizers) is null));
            return Task.FromResult(0);
        });
        return command;
    }

    private static IReadOnlyList<ScheduleOptimizerChoice> Choices(string text) =>
        [.. text.Split(',', StringSplitOptions.TrimEntries).Distinct().Select(ScheduleOptimizerCatalog.Find)];

    private static void Show(IAnsiConsole console, LossCurve? measured, List<FoundSchedule> found, bool phase1Alone)
    {
        console.Write(phase1Alone ? FoundSchedule.Phase1Table(found) : FoundSchedule.OptimizerTable(found));
        if (measured is not null)
        {
            console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"Loss curve: {measured.Images:N0} images, {measured.Origin.NetworkEvaluations:N0} network evaluations, "
                    + $"{measured.Origin.Seconds:F0} s; {measured.Origin.Quality}."));
            foreach (string remark in measured.Remarks())
                console.WriteLine(remark);
        }

        console.WriteLine($"Sampler files are in {Path.GetDirectoryName(found[0].File)}.");
    }
}
