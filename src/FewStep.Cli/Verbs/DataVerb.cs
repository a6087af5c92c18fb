namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep data</c>: looks at image sets and cuts subsets from them.</summary>
internal static class DataVerb
{
    public static Command Create(TerminalOutput terminal)
        => new("data", "Look at image sets, make them, cut subsets from them, and measure their statistics.")
        { Info(terminal), Subset(terminal), DataPrepareVerb.Create(terminal), DataStatsVerb.Create(terminal) };

    private static Command Info(TerminalOutput terminal)
    {
        var command = new Command("info", "Check an image set and tell what it holds.");
        var (data, split, json) = (command.Data(), Split(command), command.Json());
        return command.Runs((parsed, cancellation) =>
        {
            using var set = ImageSets.Open(parsed.GetRequiredValue(data), parsed.GetValue(split), terminal.Progress, cancellation);
            Decode(set, terminal.Progress, cancellation);
            int[] perClass = PerClass(set);
            var result = new { images = set.Count, shape = set.Shape, classes = set.Classes, images_per_class = perClass, hash = set.Hash };
            terminal.Result(parsed.GetValue(json), result,
                $"{set.Count:N0} images of {set.Shape} (channels x height x width), {Classes(perClass)}. SHA-256 of the images and labels: "
                    + $"{set.Hash}.");
        });
    }

    private static Command Subset(TerminalOutput terminal)
    {
        var command = new Command("subset", "Choose gray images at random and write them as a pair of idx files.");
        var (data, split) = (command.Data(), Split(command));
        var count = command.Required<int>("--count", "Number of images.");
        var balanced = command.Optional<bool>("--balanced", "Take every class equally often, to within one image.");
        var output = command.Required<string>("--out", "Folder for the pair of idx files, images and labels.", "folder");
        var (seed, json) = (command.Seed(), command.Json());
        return command.Runs((parsed, cancellation) =>
        {
            var wanted = parsed.GetValue(split);
            using var set = ImageSets.Open(parsed.GetRequiredValue(data), wanted, terminal.Progress, cancellation);
            using var subset = parsed.GetValue(balanced)
                ? SubsetImageSet.Balanced(set, parsed.GetValue(count), parsed.GetValue(seed))
                : SubsetImageSet.Random(set, parsed.GetValue(count), parsed.GetValue(seed));
            string images = Path.Combine(
                parsed.GetRequiredValue(output), $"{(wanted == DataSplit.Test ? "t10k" : "train")}-images-idx3-ubyte.gz");
            string? labels = IdxWriter.Write(images, subset, terminal.Progress, cancellation);
            int[] perClass = PerClass(subset);
            var result = new
            {
                images,
                labels,
                count = subset.Count,
                shape = subset.Shape,
                classes = subset.Classes,
                images_per_class = perClass,
                source_hash = set.Hash,
            };
            terminal.Result(parsed.GetValue(json), result, $"Wrote {subset.Count:N0} of {set.Count:N0} images ({Classes(perClass)}) to "
                    + $"{images}{(labels is null ? "" : $" and their labels to {labels}")}.");
        });
    }

    // Opening a set checks that its files are whole, not that their pixels can be had.
    private static void Decode(IImageSet set, IProgress<WorkProgress> progress, CancellationToken cancellation)
    {
        byte[] pixels = new byte[set.Shape.Dimension];
        for (int i = 0; i < set.Count; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            set.Read(i, pixels);
            progress.Report(new WorkProgress("decode images", i + 1, set.Count, "img"));
        }
    }

    internal static Option<DataSplit?> Split(Command command) => command.Named<DataSplit?>(
        "--split", "train or test; left out, the training split where there are splits and else all images.", null,
        ("train", DataSplit.Train), ("test", DataSplit.Test));

    private static int[] PerClass(IImageSet set)
    {
        var perClass = new int[set.Classes];
        for (int i = 0; set.Classes > 0 && i < set.Count; i++)
            perClass[set.Label(i)]++;
        return perClass;
    }

    private static string Classes(int[] perClass) => perClass.Length switch
    {
        0 => "no labels",
        _ when perClass.Min() == perClass.Max()
            => string.Create(CultureInfo.InvariantCulture, $"{perClass.Length} classes of {perClass[0]:N0}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{perClass.Length} classes of {perClass.Min():N0} to {perClass.Max():N0}"),
    };
}
