namespace FewStep.Shards;

/// <summary>Which stage of divided work a command is for: what all shares need and is done once, one of the shares, or the joining of
/// their parts.</summary>
internal sealed record ShardStage
{
    private const string PrepareName = "prepare", MergeName = "merge";
    private readonly string _name;

    private ShardStage(string name, Shard? shard = null) => (_name, Shard) = (name, shard);

    public static ShardStage Prepare { get; } = new(PrepareName);
    public static ShardStage Merge { get; } = new(MergeName);

    /// <summary>The share; null for the other two stages.</summary>
    public Shard? Shard { get; }

    public static ShardStage Of(Shard shard) => new(shard.ToString(), shard);

    public static ShardStage Parse(string text) => text switch
    {
        PrepareName => Prepare,
        MergeName => Merge,
        _ => Of(Shard.Parse(text)),
    };

    public override string ToString() => _name;
}
