using WebApi;

await using var app = ImageApi.Create(args);
app.Run();
