using TorchSharp;

namespace FewStep.Cli.Verbs;

/// <summary>The option <c>--device</c> of every verb that runs a network, which are those with <c>--threads</c>.</summary>
internal static class DeviceFlag
{
    public const string Name = "--device";

    /// <summary>Gives the option to every command that runs a network.</summary>
    public static void AddTo(Command root)
    {
        foreach (var command in root.WithSubcommands().Where(c => c.Options.Any(o => o.Name == SharedOptions.ThreadsName)))
        {
            command.Option<DeviceChoice>(
                Name, "Where networks compute: cuda (the first NVIDIA GPU) or cuda:N, cpu, or auto, which is the first GPU where there is "
                    + "one and the processor elsewhere.", DeviceChoice.Auto, "auto|cpu|cuda|cuda:N", DeviceChoice.Parse);
        }
    }

    /// <summary>What was asked for, and of several ranks on a machine a GPU for each; the processor for a verb that runs no network.
    /// </summary>
    public static DeviceChoice Read(ParseResult parsed) =>
        LaunchedRanks.Of(parsed)?.LocalRank is { } local ? Given(parsed).Of(local) : Given(parsed);

    public static torch.Device Resolve(ParseResult parsed) => Read(parsed).Resolve();

    private static DeviceChoice Given(ParseResult parsed) =>
        parsed.CommandResult.Command.Options.FirstOrDefault(o => o.Name == Name) is Option<DeviceChoice> option ? parsed.GetRequiredValue(
            option) : DeviceChoice.Cpu;
}
