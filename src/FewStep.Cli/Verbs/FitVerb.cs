using FewStep.Reporting;
using Spectre.Console;

namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep fit</c>: Phase 1 with the solver's weights: samplers fitted to the model, whose own weights stay as they
/// are.</summary>
internal static class FitVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("fit", "Phase 1: fit samplers of a few steps to a model, the sigmas and the solver's weights; without "
            + "gradients, for any denoiser. Interrupt with Ctrl-C and repeat the command: refinements go on where they were.");
        var defaults = new FindOptions();
        var (model, data) = (command.Model(", an ONNX file, or the JSON file of a Gaussian mixture"), command.Data());
        var output = command.Option(
            "--out", "Folder for a sampler file each, fit.html and loss-curve.json.", Path.Combine("runs", "fit"), "folder");
        var steps = command.Option("--steps", "Numbers of steps; one teacher path a latent serves all.", "3,4,5,6,8,10", "list");
        var schedule = command.Option("--schedule", "Where the sigmas come from: a search with --data "
            + $"({string.Join(", ", ScheduleOptimizerCatalog.Names)}), one of {string.Join(", ", StandardSchedules.Names)}, or a file.",
            defaults.Search, "name or file");
        var fitting = new FitFlags(command);
        var label = command.Optional<string?>("--label", "Class that the sampler is fitted for, by index or name; -1 for none. Left out, "
            + "all classes (or prompts) in turn.", "class");
        var curve = command.Curve();
        var shards = new ShardFlags(command, "the teacher's paths");
        var (dtype, seed, threads, json) = (command.Dtype(), command.Seed(), command.Threads(), command.Json());
        var (curveOptions, about) = (new LossCurveFlags(command), new ModelFlags(command));
        return command.Runs((parsed, cancellation) =>
        {
            SharedOptions.PrepareTorch(parsed.GetValue(threads));
            var options = fitting.Read(parsed).Checked();
            var numbers = NumberList.Steps(parsed.GetRequiredValue(steps), "--steps");
            var chosen = ScheduleChoice.Parse(parsed.GetRequiredValue(schedule));
            if (chosen is ScheduleChoice.Given && parsed.IsGiven(steps))
                throw new InvalidInputException($"{chosen.Name} has its own number of steps; leave --steps out.");

            about.RefuseIdleRange(parsed, chosen);
            string folder = parsed.GetRequiredValue(output);
            var division = shards.Read(parsed, folder);
            if (division is not null && chosen is ScheduleChoice.Searched searched
                && !(searched.Optimizer.Entry.NeedsLossCurve && parsed.GetValue(curve) is not null))
            {
                throw new InvalidInputException($"Each shard would search {chosen.Name} anew: search first (fewstep schedule) and give "
                    + "what it found, the loss curve with --curve or a file with --schedule; or name a standard schedule.");
            }

            using var source = Model.Open(
                parsed.GetRequiredValue(model), about.Read(parsed, parsed.GetValue(dtype), parsed.GetValue(threads)));
            if (parsed.GetValue(label) is string one)
                options = options with { Label = ClassLabel.Parse(one, source.Denoiser.Classes, source.LabelNames) };
            using var training = new DelayedImages(
                parsed, data, source, parsed.GetValue(seed), terminal, cancellation);
            var find = new FindOptions
            {
                Solver = options.Solver,
                Curve = curveOptions.Read(parsed),
                LossCurve = parsed.ReadCurve(curve, source.Hash),
                Seed = parsed.GetValue(seed),
            };
            var found = FitFolder.Write(
                folder, source, chosen, numbers, options, find, () => training.Value, division, terminal.Progress, cancellation);
            if (found is null)
            {
                ShardFlags.Tell(terminal, parsed.GetValue(json), division!);
                return;
            }

            List<FoundFit> fits = [.. found.Select(FoundFit.Of)];
            terminal.Result(parsed.GetValue(json), new { samplers = fits }, console =>
            {
                console.Write(ReportTables.Draw(FitPage.Table(found)));
                console.WriteLine($"The page is {Path.Combine(folder, FitPage.FileName)}. Sample with one: --sampler {fits[0].File}");
            });
        });
    }
}
