namespace FewStep.Shards;

/// <summary>What one share leaves: a folder of its own inside the results' folder, <c>parts/i-of-n</c>, with a manifest. Nobody else
/// writes there, and the share writes nowhere else.</summary>
internal sealed class Part
{
    private Part(string folder, PartManifest manifest) => (Folder, Manifest, Shard) = (folder, manifest, manifest.Shard(folder));

    public string Folder { get; }
    public PartManifest Manifest { get; private set; }
    public Shard Shard { get; }

    /// <summary>Where a share of the results of a folder lies.</summary>
    public static string Place(string results, Shard shard) =>
        Path.Combine(results, Parts.FolderName, InvariantText.Of($"{shard.Number}-of-{shard.Count}"));

    /// <summary>Begins a part, or goes on with it.</summary>
    /// <exception cref="InvalidInputException">What lies there is of another run.</exception>
    public static Part Begin(string results, Shard shard, string run, IReadOnlyList<string> command)
    {
        string folder = Place(results, shard);
        if (File.Exists(Path.Combine(folder, PartManifest.FileName)))
        {
            var known = Read(folder);
            known.Require(run, command);
            return known;
        }

        var manifest = new PartManifest { Run = run, Number = shard.Number, Count = shard.Count, Command = command };
        JsonFile.Write(Path.Combine(folder, PartManifest.FileName), manifest);
        return new Part(folder, manifest);
    }

    public static Part Read(string folder)
    {
        var part = new Part(folder, JsonFile.Read<PartManifest>(Path.Combine(folder, PartManifest.FileName)));
        return Path.GetFileName(folder) == Path.GetFileName(Place("", part.Shard)) ? part
            : throw new InvalidInputException($"{folder} holds the part of shard {part.Shard}: parts must not be renamed.");
    }

    /// <summary>A file of the part.</summary>
    public string At(string name) => Path.Combine(Folder, name);

    /// <summary>Says whether the share has done all that it owns.</summary>
    public void Mark(bool done)
    {
        if (Manifest.Done == done)
            return;
        Manifest = Manifest with { Done = done };
        JsonFile.Write(At(PartManifest.FileName), Manifest);
    }

    /// <summary>Refuses a part of another run.</summary>
    /// <param name="run">The hash of all that determines the run's result.</param>
    /// <param name="command">Its command line, which says what differs.</param>
    public void Require(string run, IReadOnlyList<string> command)
    {
        if (Manifest.Run == run)
            return;
        string difference = Manifest.Command.SequenceEqual(command)
            ? "the same command, but the model, the data or the program has changed"
            : $"'{Line(Manifest.Command)}', and not '{Line(command)}'";
        throw new InvalidInputException($"{Folder} is part of another run ({difference}); choose another folder, or remove it.");
    }

    private static string Line(IReadOnlyList<string> command) => Printable.Line(string.Join(' ', command.Select(ShellWord.Of)), 200);
}

/// <summary><c>part.json</c>: what run a part is of, and which of its parts.</summary>
internal sealed record PartManifest
{
    public const string FileName = "part.json";
    private const int CurrentVersion = 1;

    public int Version { get; init; } = CurrentVersion;

    /// <summary>Hash of all that determines the run's result.</summary>
    public required string Run { get; init; }

    public required int Number { get; init; }
    public required int Count { get; init; }

    /// <summary>Whether the share said at its end that it has done all that it owns.</summary>
    public bool Done { get; init; }

    /// <summary>The command line without program, folder and share.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    public Shard Shard(string folder) => Version == CurrentVersion && Run.Length == 64 && Command is { Count: > 0 and < 10_000 }
        && Command.All(word => word is not null)
        ? new Shard(Number, Count)
        : throw new InvalidInputException($"{Path.Combine(folder, FileName)} is no manifest of version {CurrentVersion} of a part; remove "
            + "the part and run its shard again.");
}
