namespace FewStep.Cli.Verbs;

/// <summary><c>fewstep convert</c>: turns a checkpoint into a model folder.</summary>
internal static class ConvertVerb
{
    public static Command Create(TerminalOutput terminal)
    {
        var command = new Command("convert", "Turn a checkpoint into a model folder (config.json and model.safetensors), which says "
            + "everything itself.");
        var model = command.Argument(
            "A model in any accepted form: a network pickle of NVlabs/edm, a state dictionary in guided-diffusion's names, a "
                + "diffusers folder, a model folder.");
        var output = command.Required<string>("--out", "Model folder to make; it must not exist, or be empty.", "folder");
        var dtype = command.StoredDtype();
        var json = command.Json();
        return command.Runs((parsed, _) =>
        {
            string folder = parsed.GetRequiredValue(output);
            AtomicFolder.RequireFree(output.Name, folder);
            using var source = Model.Open(
                parsed.GetRequiredValue(model), new ModelOptions
                {
                    Checkpoint = CheckpointFlags.Read(parsed),
                    Device = DeviceChoice.Cpu,
                    NeedsNoPrompts = true,
                    NeedsNoPipeline = true,
                });
            var type = parsed.GetValue(dtype);
            AtomicFolder.Write(folder, place => source.Save(place, type));
            var result = new
            {
                folder,
                format = source.Format,
                parameters = source.Summary.Parameters,
                dtype = ComputeType.Name(type),
                source_hash = source.Hash,
                remarks = source.Remarks,
            };
            terminal.Result(parsed.GetValue(json), result,
                source.Remarks, $"Wrote {result.parameters:N0} weights as {result.dtype} to {folder}.");
        });
    }
}
