using FewStep.Reporting;
using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep schedule</c>: finds the best schedules of any number of steps, by Phase 1 or by any other optimiser.</summary>
internal static class ScheduleVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("schedule", "Phase 1: find the best sampling schedules for a model.");
        var defaults = new FindOptions();
        var (model, data) = (command.Model(", an ONNX file, or the JSON file of a Gaussian mixture"), command.Data());
        var output = command.Option(
            "--out", "Folder for loss-curve.json and the sampler files.", Path.Combine("runs", "schedules"), "folder");
        var steps = command.Option("--steps", "Numbers of steps, e.g. 3,4,5,6,8,10: one estimate serves all.", "3,4,5,6,8,10");
        var power = command.Option("--power", "Weighting g(sigma) of the discretization loss: 0 is -ln sigma, p above 0 is sigma^-p. "
            + "Power 1, the literal reading, is always reported too.", defaults.Power);
        var curve = command.Curve();
        var optimizers = command.Optional<string?>(
            "--optimizer", $"Optimisers, separated by commas: {string.Join(", ", ScheduleOptimizerCatalog.Names)}; "
                + $"some take a parameter, e.g. gits:1.15. Default: {defaults.Search}.", "names");
        var solver = command.Option("--solver", "Solver of the samplers; some optimisers look at it.", defaults.Solver);
        var images = command.Optional<int?>(
            "--search-images", "Latents or images of a search with trajectories; left out, each optimiser's own number.");
        var list = command.Optional<bool>("--list-optimizers", "List the optimisers and stop.");
        var listSchedules = command.Optional<bool>("--list-schedules", "List the standard schedules and stop.");
        var shards = new ShardFlags(command, "images of the loss curve");
        var (dtype, seed, threads, json) = (command.Dtype(), command.Seed(), command.Threads(), command.Json());
        var (curveOptions, about) = (new LossCurveFlags(command), new ModelFlags(command));
        return command.Runs((parsed, cancellation) =>
        {
            if (parsed.GetValue(listSchedules))
            {
                Listings.Schedules(terminal, parsed.GetValue(json));
                return;
            }

            if (parsed.GetValue(list))
            {
                Listings.Optimizers(terminal, parsed.GetValue(json));
                return;
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
            string[] names = (parsed.GetValue(optimizers) ?? options.Search).Split(',', StringSplitOptions.TrimEntries);
            var choices = names.Distinct().Select(ScheduleOptimizerCatalog.Find).ToList();
            var division = shards.Read(parsed, folder, curve);
            if (division is not null && !choices.Any(c => c.Entry.NeedsLossCurve))
            {
                throw new InvalidInputException($"{ShardFlags.Name} shares out the measurement of a loss curve, and "
                    + $"{string.Join(", ", choices.Select(c => c.Text))} takes none; leave it out.");
            }

            using var source = Model.Open(
                parsed.GetRequiredValue(model), about.Read(parsed, parsed.GetValue(dtype), parsed.GetValue(threads)));
            FolderOfOneModel.Require(folder, source);
            options = options with { LossCurve = parsed.ReadCurve(curve, source.Hash) };
            using var training = new DelayedImages(
                parsed, data, source, parsed.GetValue(seed), terminal, cancellation);
            var search = new SamplerSearch(source, () => training.Value, numbers, options)
            {
                CurveMeasured = found => LossCurveFile.Write(Path.Combine(folder, "loss-curve.json"), found),
                Division = division,
            };
            if (division is not null && search.MeasureCurve(terminal.Progress, cancellation) is null)
            {
                ShardFlags.Tell(terminal, parsed.GetValue(json), division);
                return;
            }

            List<FoundSchedule> found =
                [.. search.Find(choices, terminal.Progress, cancellation).Select(f => FoundSchedule.Write(folder, f))];
            division?.Finish();
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
        });
    }

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

        bool several = found.DistinctBy(f => f.Weighting).Count() > 1;
        console.WriteLine($"Sampler files are in {Path.GetDirectoryName(found[0].File)}. Use one, e.g. sample --sampler {found[0].File}"
            + (several ? $"; those of {found[0].Weighting} first, the others are for comparison." : "."));
    }
}
