namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep data prepare</c>: makes an EDM-style zip of images.</summary>
internal static class DataPrepareVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("prepare", "Make an EDM-style zip of images: PNG files and dataset.json. The same images make the same "
            + "bytes.");
        var source = command.Required<string>(
            "--source", "Images of any size: a folder (two or more sub-folders are classes, as in ImageNet), CIFAR-10's binary or "
                + "Python version (folder or tar.gz), downsampled ImageNet (folder of npz batches, or one), a zip, or idx files.", "path");
        var output = command.Required<string>("--output", "The zip to write.", "file.zip");
        var transform = command.Option<ImageTransform>(
            "--transform", "How images are brought to one size: none, box (the whole image by box filter, as downsampled ImageNet) or "
                + "center-crop (as guided-diffusion).", ImageTransform.None, "none|box|center-crop", parse: ImageTransforms.Parse);
        var resolution = command.Option("--resolution", "Side of the results in pixels.", 64);
        var rgb = command.Optional<bool>("--rgb", "Store gray images in colour even where the first is gray.");
        var split = DataVerb.Split(command);
        var map = command.Optional<string?>("--class-map",
            "map_clsloc.txt of downsampled ImageNet: names of the classes, and labels in the sorted order of the synsets.", "file");
        var json = command.Json();
        return command.Runs((parsed, cancellation) =>
        {
            var (how, side) = (parsed.GetValue(transform), parsed.GetValue(resolution));
            if (how == ImageTransform.None && parsed.IsGiven(resolution))
                throw new InvalidInputException("--resolution needs to know how: give --transform box or center-crop.");
            string from = parsed.GetRequiredValue(source), to = parsed.GetRequiredValue(output);
            using var images = ImageSources.Open(from, parsed.GetValue(split), parsed.GetValue(map), terminal.Progress, cancellation);
            var made = EdmZipWriter.Write(to, images, how, side, parsed.GetValue(rgb), terminal.Progress, cancellation);
            string hash = Sha256.OfFile(to);
            bool unordered = images is DownsampledImageNetSource { ClassNames: null };
            var result = new
            {
                output = to,
                images = made.Count,
                shape = made.Shape,
                classes = made.Classes,
                class_names = images.ClassNames,
                sha256 = hash,
            };
            terminal.Result(parsed.GetValue(json), result, $"Wrote {made.Count:N0} images of {made.Shape} (channels x height x width), "
                    + $"{(made.Classes == 0 ? "no labels" : $"{made.Classes:N0} classes")}, to {to}. SHA-256 of the file: {hash}.");
            if (unordered)
            {
                terminal.Message("The labels are those of the npz files less 1, which is not the sorted order of the synsets that ImageNet "
                    + "folders and EDM's models have; --class-map map_clsloc.txt brings them into it.");
            }
        });
    }
}
