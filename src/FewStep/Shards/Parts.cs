namespace FewStep.Shards;

/// <summary>The parts that lie in a folder of results, all of one run and of one number of shares.</summary>
internal sealed class Parts
{
    public const string FolderName = FolderLock.SharedName;
    private const string Done = ".parts.done";
    private readonly string _results;
    private readonly SortedDictionary<int, Part> _parts = [];

    private Parts(string results) => _results = results;

    /// <summary>The parts that were begun, by number.</summary>
    public IEnumerable<Part> All => _parts.Values;

    /// <summary>How many shares there are.</summary>
    public int Count => _parts.Values.First().Shard.Count;

    /// <summary>The shards that were not begun, or did not come to their end.</summary>
    public IEnumerable<int> NotDone => Enumerable.Range(1, Count).Where(number => Find(number) is not { Manifest.Done: true });

    /// <summary>Reads the manifests of the parts of a folder.</summary>
    /// <exception cref="InvalidInputException">There are none, or they are of different runs or of different numbers of shares.</exception>
    public static Parts Of(string results)
    {
        Forget(results);
        var parts = new Parts(results);
        string folder = Path.Combine(results, FolderName);
        string[] begun = !Directory.Exists(folder) ? [] : [.. Directory.EnumerateDirectories(folder)
            .Where(d => File.Exists(Path.Combine(d, PartManifest.FileName))).Order(StringComparer.Ordinal)];
        if (begun.Length == 0)
            throw new InvalidInputException($"{results} holds no parts: nothing there was made with --shard, or all of it is merged.");
        var first = Part.Read(begun[0]);
        foreach (var part in begun.Select(Part.Read))
        {
            part.Require(first.Manifest.Run, first.Manifest.Command);
            if (part.Shard.Count != first.Shard.Count)
            {
                throw new InvalidInputException($"The parts {first.Folder} and {part.Folder} overlap: one is of {first.Shard.Count} "
                    + $"shards, the other of {part.Shard.Count}. Remove those of one number.");
            }

            parts._parts[part.Shard.Number] = part;
        }

        return parts;
    }

    /// <summary>Refuses parts of another run than the one with this hash.</summary>
    public Parts Of(string run, IReadOnlyList<string> command)
    {
        foreach (var part in All)
            part.Require(run, command);
        return this;
    }

    public Part? Find(int number) => _parts.GetValueOrDefault(number);

    /// <summary>Refuses what is not complete, by name.</summary>
    /// <param name="missing">How much a part lacks, in words; null for one that is complete.</param>
    public void RequireAll(Func<Part, string?> missing)
    {
        const int named = 8;
        var lacking = new List<string>();
        for (int number = 1; number <= Count; number++)
        {
            string? words = Find(number) is not { } part ? "not begun" : missing(part);
            if (words is null)
                continue;
            Find(number)?.Mark(done: false); // something of it was lost
            lacking.Add($"{new Shard(number, Count)} ({words})");
        }

        if (lacking.Count == 0)
            return;
        string more = lacking.Count > named ? InvariantText.Of($" and {lacking.Count - named} more") : "";
        throw new InvalidInputException($"{_results} is not complete: of the shards there {(lacking.Count == 1 ? "is" : "are")} missing "
            + $"{string.Join(", ", lacking.Take(named))}{more}. Run those, then merge again.");
    }

    /// <summary>Removes all parts, once their results are where they belong.</summary>
    public void Remove()
    {
        // At one stroke, so that a process killed here leaves all or none.
        Directory.Move(Path.Combine(_results, FolderName), Path.Combine(_results, Done));
        Forget(_results);
    }

    private static void Forget(string results)
    {
        if (Path.Combine(results, Done) is var old && Directory.Exists(old))
            Directory.Delete(old, recursive: true);
    }
}
